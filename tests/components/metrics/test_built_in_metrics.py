"""The catalogue's ComputeAverage and ComputeAverageDice."""

from __future__ import annotations

import json
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from clara_compat.components.entry import BundleContext, Entry, Expression
from clara_compat.components.metrics.compute_average import ComputeAverage
from clara_compat.components.metrics.compute_average_dice import ComputeAverageDice
from clara_compat.engine.legacy.metric import LegacyMetric


def test_dice():
    metric = ComputeAverageDice("mean_dice", "model", is_2d=True, report_path="eval", is_key_metric=True)
    assert (metric.name, metric.field, metric.label_field) == ("mean_dice", "model", "label")
    assert metric.is_key_metric
    assert metric.report_path == "eval"
    assert metric.bundle_entry(BundleContext()) == Entry(
        "clara_compat.engine.metrics.dice.ClaraDice",
        name="mean_dice",
        field="pred",
        label_field="label",
        remove_bg=True,
        logit_thresh=0.5,
        is_one_hot_targets=False,
        is_2d=True,
        report_path="eval",
    )


@pytest.mark.parametrize(
    ("channels", "options"),
    [
        (3, {}),
        (3, {"remove_bg": False, "logit_thresh": 0.3}),
        (3, {"is_2d": True}),
        (2, {"is_one_hot_targets": True}),
        (1, {}),
    ],
)
def test_a_subclass_of_dice_agrees_with_the_built_in(channels, options):
    class MyDice(ComputeAverageDice):
        pass

    random = np.random.default_rng(channels)
    pred = torch.tensor(random.random((2, channels, 5, 6, 4)))
    onehot = options.get("is_one_hot_targets", False)
    label = random.integers(0, 2, pred.shape) if onehot else random.integers(0, channels + 1, (2, 1, 5, 6, 4))
    label = torch.tensor(label).float()
    label[1, ..., :2] = 0.0
    state = SimpleNamespace(output={"pred": pred, "label": label}, batch={"image": pred})
    values = []
    for metric in (
        LegacyMetric(MyDice("dice", "model", **options), "dice"),
        ComputeAverageDice("dice", "model", **options).bundle_entry(BundleContext()).imported()(**options),
    ):
        metric.iteration_completed(SimpleNamespace(state=state))
        values.append(metric.compute())
    assert values[0] == pytest.approx(values[1], rel=1e-12)
    assert 0.1 < values[0] < 0.9


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"field": "negloss"}, {"field": "negloss", "negate_value": False}),
        ({"field": "model", "negate_value": True}, {"field": "pred", "negate_value": True}),
        ({"field": "negloss", "invalid_value": -1.0}, {"field": "negloss", "negate_value": False, "invalid_value": -1}),
        ({"field": "loss"}, {"field": "loss", "negate_value": False, "loss": Expression("@loss")}),
    ],
)
def test_average(options, expected):
    metric = ComputeAverage("m", **options)
    assert (metric.name, metric.field, metric.is_key_metric) == ("m", options["field"], False)
    entry = metric.bundle_entry(BundleContext())
    assert entry == Entry("clara_compat.engine.metrics.average.ClaraAverage", name="m", report_path=None, **expected)
    json.dumps(entry.arguments, allow_nan=False)  # a strict reader of the bundle config can read it


def test_average_is_a_clara_metric():
    metric = ComputeAverage("m", "loss", negate_value=True)
    for value in (1.0, math.nan, 3.0):
        metric.update(value)
    assert metric.get() == -2.0
