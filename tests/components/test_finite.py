"""No component of the model side takes a number that it cannot calculate with."""

from __future__ import annotations

import inspect
import math
from typing import Any

import pytest

from clara_compat.components import catalogue
from clara_compat.errors import ClaraError

REQUIRED: dict[str, Any] = {
    "num_classes": 2,
    "momentum": 0.9,
    "name": "a",
    "field": "model",
    "label_field": "label",
    "decay_ratio": 0.5,
    "decay_freq": 2,
    "plateau_count_trigger": 2,
    "roi_size": [8, 8, 8],
}
FAMILIES = {"losses", "models", "metrics", "optimizers", "lr_policies", "inferers", "aux_ops"}
CASES = [
    (cls, parameter.name)
    for cls in catalogue.components().values()
    if catalogue.family(cls) in FAMILIES
    for parameter in inspect.signature(cls).parameters.values()
    if parameter.annotation == "float" and parameter.name != "invalid_value"
]


def test_there_are_such_arguments() -> None:
    assert len(CASES) > 30


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(("cls", "name"), CASES, ids=lambda one: getattr(one, "__name__", one))
def test_it_is_refused(cls: type, name: str, value: float) -> None:
    needed = {
        one.name: REQUIRED[one.name]
        for one in inspect.signature(cls).parameters.values()
        if one.default is inspect.Parameter.empty
    }
    cls(**needed)
    with pytest.raises(ClaraError, match=rf"{name} is -?(nan|inf) but must be "):
        cls(**needed | {name: value})


def test_class_weights() -> None:
    with pytest.raises(ClaraError, match="class_weights is nan but must be a finite number"):
        catalogue.components()["WeightedMulticlassClassificationLoss"](class_weights=[1.0, math.nan])
