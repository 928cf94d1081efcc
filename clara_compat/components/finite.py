"""Numbers that a component can calculate with."""

from __future__ import annotations

import math

from clara_compat.errors import ClaraError

__all__ = ["require_finite"]


def require_finite(**values: float) -> None:
    """Check that values are neither infinite nor nan, which passes every comparison that asks for something wrong.

    Raises:
        ClaraError: with the argument's name.
    """
    for name, value in values.items():
        if not math.isfinite(value):
            raise ClaraError(f"{name} is {value} but must be a finite number")
