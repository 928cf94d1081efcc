"""The HTML reports as a browser shows them, at a telephone's and a desk's width, also of configs that mean harm."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from clara_compat import train
from clara_compat.cli.main import main

if TYPE_CHECKING:
    from playwright.sync_api import Browser

Make = Callable[..., Path]
LookAt = Callable[..., list[str]]

SCRIPT = "<script>alert('ran')</script><img src=https://example.org/x onerror=alert(1)>"
LONG = "an_argument_of_one_very_long_word_" * 30


def command(*arguments: object) -> int:
    with pytest.raises(SystemExit) as end:
        main([str(one) for one in arguments])
    return int(end.value.code or 0)


def hostile_texts(config: dict[str, Any]) -> None:
    config["epochs"] = 1
    config["train"]["loss"]["name"] = f"Dice#{SCRIPT}#{LONG}"
    config["validate"]["metrics"][0]["args"]["name"] = f"{SCRIPT}&quot;\"'"
    config["validate"]["metrics"][1]["args"]["name"] = LONG
    config[f"_{SCRIPT}"] = config[f"_{LONG}"] = SCRIPT


def users_code(config: dict[str, Any]) -> None:
    config["train"]["model"] = {"path": "mine.Net", "args": {"num_classes": 2, "told": [SCRIPT, LONG]}}
    config["train"]["pre_transforms"].append({"path": "mine.Mine", "args": {"fields": "image", "told": SCRIPT}})


def many_transforms(config: dict[str, Any]) -> None:
    config["train"]["pre_transforms"] += [{"name": "ScaleShiftIntensity", "args": {"fields": "image"}}] * 300


def broken(config: dict[str, Any]) -> None:
    config["train"]["loss"]["name"] = SCRIPT
    config["train"]["optimizer"]["args"] = {LONG: SCRIPT}
    config["train"]["pre_transforms"][2]["args"]["a_min"] = LONG
    config[SCRIPT] = LONG


USER_CODE = f"""
import tensorflow as tf
from ai4med.components.models.model import Model
from ai4med.components.transforms.multi_field_transformer import MultiFieldTransformer


class Net(Model):
    def __init__(self, num_classes, told=None):
        Model.__init__(self)
        self.num_classes = num_classes

    def get_predictions(self, inputs, is_training, build_ctx=None):
        x = tf.layers.conv3d(inputs, self.num_classes, 1, data_format="channels_first", name="{LONG}")
        tf.{LONG}(x)  # {SCRIPT}
        return tf.nn.softmax(x, axis=1)


class Mine(MultiFieldTransformer):
    def __init__(self, fields, told=None):
        MultiFieldTransformer.__init__(self, fields)

    def transform(self, transform_ctx):
        return transform_ctx
"""


@pytest.mark.parametrize("change", [None, hostile_texts, users_code, many_transforms, broken])
def test_the_migration_report(small_mmar: Make, look_at: LookAt, change: Callable[..., None] | None) -> None:
    mmar = small_mmar(change)
    (mmar / "mine.py").write_text(USER_CODE)
    page = mmar / "report.html"
    code = command("check", mmar / "config/config_train.json", "-m", mmar, "--html", page)
    assert (code == 2) == (change is broken)
    assert "<script" not in page.read_text()
    assert look_at(page) == []


@pytest.mark.parametrize("change", [None, hostile_texts])
def test_the_training_report(
    small_mmar: Make, look_at: LookAt, browser: Browser, change: Callable[..., None] | None
) -> None:
    page = train(small_mmar(change)).paths["report"]
    assert look_at(page) == []
    opened = browser.new_page(viewport={"width": 360, "height": 800})
    opened.goto(page.as_uri())
    heights = "[...document.querySelectorAll('.slices svg')].map((one) => one.getBoundingClientRect().height)"
    boxes = opened.evaluate(heights)
    opened.close()
    assert len(boxes) == 4  # image, label, prediction, difference of the only case
    assert min(boxes) > 50


def test_a_training_report_of_a_strangers_folder(small_mmar: Make, look_at: LookAt) -> None:
    """Its figures are edited by hand: the command ends with a sentence, or with a page that harms nobody."""
    models = train(small_mmar()).paths["report"].parent
    stats = json.loads((models / "train_stats.json").read_text())

    def poisoned(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: poisoned(item) for key, item in value.items()}
        if isinstance(value, list):
            return [poisoned(item) for item in value]
        return f"{SCRIPT}{LONG}" if isinstance(value, str) and not re.match(r"\d{4}-", value) else value

    (models / "train_stats.json").write_text(json.dumps(poisoned(stats)))
    page = models / "again.html"
    if command("report", models, "-o", page) == 0:
        assert "<script" not in page.read_text()
        assert look_at(page) == []
    else:
        assert not page.exists()
