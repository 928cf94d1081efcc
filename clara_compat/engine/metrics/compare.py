"""Which of two values of the key metric is better."""

from __future__ import annotations

import math

__all__ = ["greater"]


def greater(current: float, best: float) -> bool:
    """Return whether ``current`` is better: greater, or the first that is a number at all.

    MONAI's own comparison never recovers from a first value of NaN.

    Args:
        current: the value of this validation.
        best: the best one until now.
    """
    return current > best or (math.isnan(best) and not math.isnan(current))
