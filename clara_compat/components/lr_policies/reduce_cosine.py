"""Clara's ``ReduceCosine``."""

from __future__ import annotations

from typing import Any

from clara_compat.components.component import assumed
from clara_compat.components.finite import require_finite
from clara_compat.components.lr_policies.native import NativePolicy
from clara_compat.errors import ClaraError

__all__ = ["ReduceCosine"]


class ReduceCosine(NativePolicy):
    """Lowers the learning rate along half a cosine of the epochs (clara-3.1 engine facts, section 2.4).

    Args:
        rate: half of what the first epoch's learning rate is of the initial one.

    Raises:
        ClaraError: a rate that is not above 0.
    """

    fidelity = assumed(
        "initial learning rate x rate x (1 + cos(pi x epochs done / epochs)): rate, initial learning rate and epochs "
        "are documented, the formula is not"
    )
    becomes = "clara_compat.engine.lr_policies.CosineDecay"

    def __init__(self, rate: float = 0.5) -> None:
        require_finite(rate=rate)
        if rate <= 0:
            raise ClaraError(f"rate is {rate} but must be above 0")
        self.rate = rate

    def options(self) -> dict[str, Any]:
        """Return the rate."""
        return {"rate": self.rate}
