"""Metrics can read what the validation's transforms make."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from clara_compat import check, train

Make = Callable[..., Path]

CODE = """
from ai4med.components.metric import Metric
from ai4med.components.metrics.compute_average_dice import ComputeAverageDice
from ai4med.components.transforms.multi_field_transformer import MultiFieldTransformer
from ai4med.libs.metrics.metric_list import MetricList


class MakeWeight(MultiFieldTransformer):
    def __init__(self, fields):
        MultiFieldTransformer.__init__(self, fields)

    def transform(self, transform_ctx):
        image = transform_ctx.get_image(self.fields[0])
        transform_ctx.set_image("weight", image.new_image(image.get_data() * 0 + 3.0, image.get_shape_format()))
        return transform_ctx


class WeightList(MetricList):
    def update(self, value, label_value=None, filename="", data_prop=None):
        MetricList.update(self, label_value.mean(), None, filename)


class Weighted(Metric):
    def __init__(self, name):
        Metric.__init__(self, WeightList(name), field="model", label_field="weight")


class MyDice(ComputeAverageDice):
    pass
"""


def config_of(small_mmar: Make, change: Callable[[dict[str, Any]], None]) -> Path:
    mmar = small_mmar(change)
    (mmar / "custom").mkdir()
    (mmar / "custom/mine.py").write_text(dedent(CODE))
    return mmar


def test_a_field_that_the_users_chain_makes(small_mmar: Make) -> None:
    def change(config: dict[str, Any]) -> None:
        validate = config["validate"]
        validate["pre_transforms"].append({"path": "mine.MakeWeight", "args": {"fields": "image"}})
        validate["metrics"] += [
            {"path": "mine.Weighted", "args": {"name": "weighted"}},
            {"path": "mine.MyDice", "args": {"name": "mine", "field": "model"}},
            {"name": "ComputeAverage", "args": {"name": "built_in", "field": "weight"}},
        ]

    metrics = train(config_of(small_mmar, change)).stats["epochs"][-1]["metrics"]
    assert metrics["weighted"] == metrics["built_in"] == 3.0
    assert metrics["mine"] == pytest.approx(metrics["mean_dice"], rel=1e-6)


def test_a_field_that_no_built_in_of_the_chain_names_is_refused(small_mmar: Make) -> None:
    def change(config: dict[str, Any]) -> None:
        config["validate"]["metrics"].append({"path": "mine.Weighted", "args": {"name": "weighted"}})

    [error] = check(config_of(small_mmar, change) / "config/config_train.json").errors
    assert "nothing produces the field 'weight' (there are model, image, label, loss, negloss; aux_ops" in str(error)
    assert "validate.metrics[2]" in str(error.address)
