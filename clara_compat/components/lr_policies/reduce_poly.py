"""Clara's ``ReducePoly``."""

from __future__ import annotations

from typing import Any

from clara_compat.components.component import assumed
from clara_compat.components.finite import require_finite
from clara_compat.components.lr_policies.native import NativePolicy
from clara_compat.errors import ClaraError

__all__ = ["ReducePoly"]


class ReducePoly(NativePolicy):
    """Lowers the learning rate along a power of the epochs that are left (clara-3.1 engine facts, section 2.4).

    Args:
        poly_power: the power; 1 is a straight line.

    Raises:
        ClaraError: a negative power.
    """

    fidelity = assumed(
        "initial learning rate x (1 - epochs done / epochs) ^ poly_power, and 0.9 where a config gives no power: "
        "neither formula nor default is documented"
    )
    becomes = "clara_compat.engine.lr_policies.PolynomialDecay"

    def __init__(self, poly_power: float = 0.9) -> None:
        require_finite(poly_power=poly_power)
        if poly_power < 0:
            raise ClaraError(f"poly_power is {poly_power} but must not be negative")
        self.poly_power = poly_power

    def options(self) -> dict[str, Any]:
        """Return the power."""
        return {"power": self.poly_power}
