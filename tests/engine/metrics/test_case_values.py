from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from clara_compat.engine.metrics.case_values import CaseValues, mean_of


@pytest.mark.parametrize(("value", "mean"), [(0.5, 0.5), ([1.0, math.nan, 3.0], 2.0), (np.ones(3), 1.0)])
def test_the_mean_of_what_is_finite(value: Any, mean: float) -> None:
    assert mean_of(value) == mean
    assert math.isnan(mean_of([math.nan]))


def test_each_batch_by_itself() -> None:
    ours, users, flat = [], SimpleNamespace(_list=np.empty(0)), SimpleNamespace(values=[])
    values = CaseValues(
        {"ours": SimpleNamespace(values=ours), "users": SimpleNamespace(metric=SimpleNamespace(metric=users)),
         "flat": flat, "auc": SimpleNamespace(values=[], per_case=False)}
    )  # fmt: skip
    ours += [np.array([0.2, 0.4]), np.array([math.nan])]
    users._list = np.append(users._list, [1.0, 2.0])
    flat.values.append(7.0)  # one for the whole batch
    first = values.take(2)
    assert first["ours"] is not None
    assert first["ours"][0] == pytest.approx(0.3)
    assert math.isnan(first["ours"][1])
    assert (first["users"], first["flat"], "auc" in first) == ([1.0, 2.0], None, False)
    ours.append(np.array([0.9]))
    users._list = np.append(users._list, 3.0)
    flat.values.append("no number")
    assert values.take(1) == {"ours": [0.9], "users": [3.0], "flat": None}
    del ours[:]
    ours.append(0.1)
    values.reset()
    assert values.take(1)["ours"] == [0.1]
