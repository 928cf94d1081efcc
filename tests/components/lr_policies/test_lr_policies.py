"""The catalogue's learning rate policies: what they become, what they refuse, what users' subclasses get."""

from __future__ import annotations

from typing import Any

import pytest

from clara_compat.common.train_ctx import TrainContext
from clara_compat.components.catalogue import components
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.errors import ClaraError

CASES = [
    ("DecayOnStep", {"decay_ratio": 0.5, "decay_freq": 2}, "StepDecay", {"ratio": 0.5, "every": 2}, 0.25),
    ("ReduceCosine", {}, "CosineDecay", {"rate": 0.5}, 0.5),
    ("ReducePoly", {}, "PolynomialDecay", {"power": 0.9}, 0.5**0.9),
    ("ReduceOnPlateau", {"plateau_count_trigger": 2}, "PlateauDecay", {"patience": 2, "ratio": 0.5}, 0.5),
]


@pytest.mark.parametrize(("name", "options", "target", "expected", "rate"), CASES)
def test_entry_and_value(
    name: str, options: dict[str, Any], target: str, expected: dict[str, Any], rate: float
) -> None:
    policy = components()[name](**options)
    assert policy.bundle_entry(BundleContext()) == Entry(f"clara_compat.engine.lr_policies.{target}", **expected)
    ctx = TrainContext(
        current_epoch=3,
        total_epochs=4,
        current_iteration=6,
        initial_learning_rate=1.0,
        key_metrics=[0.5, 0.4, 0.5],
    )
    assert policy.evaluate(ctx) == pytest.approx(rate)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("DecayOnStep", {"decay_ratio": 0.0, "decay_freq": 2}, "decay_ratio is 0.0 but must be above 0"),
        ("DecayOnStep", {"decay_ratio": 0.5, "decay_freq": 0}, "decay_freq is 0 but must be at least 1 step"),
        ("ReduceCosine", {"rate": -1.0}, "rate is -1.0 but must be above 0"),
        ("ReducePoly", {"poly_power": -1.0}, "poly_power is -1.0 but must not be negative"),
        ("ReduceOnPlateau", {"plateau_count_trigger": 0}, "plateau_count_trigger is 0 but must be at least 1"),
        (
            "ReduceOnPlateau",
            {"plateau_count_trigger": 1, "reduction_rate": 0.0},
            "reduction_rate is 0.0 but must be above 0",
        ),
    ],
)
def test_refusals(name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ClaraError, match=message):
        components()[name](**options)
