"""The key metric is maximised, and an undefined first value does not stay the best."""

from __future__ import annotations

import math

import pytest

from clara_compat.engine.metrics.compare import greater


@pytest.mark.parametrize(
    ("current", "best", "better"),
    [(0.5, 0.4, True), (0.4, 0.4, False), (-3.0, -4.0, True), (0.1, math.nan, True), (math.nan, 0.1, False)],
)
def test_greater(current: float, best: float, better: bool) -> None:
    assert greater(current, best) is better
