"""Clara's ``DecayOnStep``."""

from __future__ import annotations

from typing import Any

from clara_compat.components.component import exact
from clara_compat.components.finite import require_finite
from clara_compat.components.lr_policies.native import NativePolicy
from clara_compat.errors import ClaraError

__all__ = ["DecayOnStep"]


class DecayOnStep(NativePolicy):
    """Multiplies the learning rate by a factor after every so many steps (clara-3.1 engine facts, section 2.4).

    Args:
        decay_ratio: the factor.
        decay_freq: steps between two reductions.

    Raises:
        ClaraError: for numbers out of range.
    """

    fidelity = exact()
    becomes = "clara_compat.engine.lr_policies.StepDecay"

    def __init__(self, decay_ratio: float, decay_freq: int) -> None:
        require_finite(decay_ratio=decay_ratio)
        if decay_ratio <= 0:
            raise ClaraError(f"decay_ratio is {decay_ratio} but must be above 0")
        if decay_freq < 1:
            raise ClaraError(f"decay_freq is {decay_freq} but must be at least 1 step")
        self.decay_ratio = decay_ratio
        self.decay_freq = decay_freq

    def options(self) -> dict[str, Any]:
        """Return factor and steps."""
        return {"ratio": self.decay_ratio, "every": self.decay_freq}
