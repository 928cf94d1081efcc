"""Clara's ``ReduceOnPlateau``."""

from __future__ import annotations

from typing import Any, ClassVar

from clara_compat.components.component import assumed
from clara_compat.components.finite import require_finite
from clara_compat.components.lr_policies.native import NativePolicy
from clara_compat.errors import ClaraError

__all__ = ["ReduceOnPlateau"]


class ReduceOnPlateau(NativePolicy):
    """Lowers the learning rate when the key metric no longer improves (clara-3.1 engine facts, section 2.4).

    Args:
        plateau_count_trigger: validations in a row without a better key metric that make a plateau.
        reduction_rate: factor of the learning rate at each plateau.

    Raises:
        ClaraError: for numbers out of range.
    """

    fidelity = assumed(
        "as documented; assumed are the default factor of 0.5 and that counting begins anew after each reduction"
    )
    becomes = "clara_compat.engine.lr_policies.PlateauDecay"
    undocumented = True
    follows_key_metric: ClassVar[bool] = True
    """It does nothing in a run without a key metric."""

    def __init__(self, plateau_count_trigger: int, reduction_rate: float = 0.5) -> None:
        require_finite(reduction_rate=reduction_rate)
        if plateau_count_trigger < 1:
            raise ClaraError(f"plateau_count_trigger is {plateau_count_trigger} but must be at least 1 validation")
        if reduction_rate <= 0:
            raise ClaraError(f"reduction_rate is {reduction_rate} but must be above 0")
        self.plateau_count_trigger = plateau_count_trigger
        self.reduction_rate = reduction_rate

    def options(self) -> dict[str, Any]:
        """Return patience and factor."""
        return {"patience": self.plateau_count_trigger, "ratio": self.reduction_rate}
