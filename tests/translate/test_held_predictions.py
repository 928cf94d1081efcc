"""When a validation holds masks, and when probabilities."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clara_compat.config.workflow import load_train_workflow
from clara_compat.translate.bundle import Seeds
from clara_compat.translate.train import translate_train

Make = Callable[..., Path]
DICE = {"name": "ComputeAverageDice", "args": {"name": "dice", "field": "model"}}
MASKED = {"name": "DiceMaskedOutput", "args": {"tags": ["m"], "skip_background": True}}
OF_MASKED = {"name": "ComputeAverage", "args": {"name": "masked", "field": "m"}}
WINDOWS = {"name": "TFScanWindowInferer", "args": {"roi_size": [16, 16, 16]}}


def dice(**args: Any) -> dict[str, Any]:
    return {**DICE, "args": {**DICE["args"], "name": "other", **args}}


def inferer(make: Make, metrics: list[Any], operations: list[Any], given: dict[str, Any], **settings: Any) -> Any:
    def change(config: dict[str, Any]) -> None:
        config.update(settings)
        config["train"]["aux_ops"] = operations
        config["validate"].update(metrics=metrics, inferer=given)

    mmar = make(change)
    (mmar / "custom").mkdir()
    (mmar / "custom/mine.py").write_text(
        "from ai4med.components.metrics.metric import Metric\n\n\nclass Mine(Metric):\n"
        "    def __init__(self, name, field='model'):\n        Metric.__init__(self, name, field=field)\n"
    )
    workflow = load_train_workflow(mmar / "config" / "config_train.json")
    return translate_train(workflow, Seeds(0, 0, 0, 0), mmar / "models").config["validate"]["inferer"]


@pytest.mark.parametrize(
    ("metrics", "operations", "threshold"),
    [
        ([DICE], [], 0.5),
        ([dice(logit_thresh=0.3)], [], 0.3),
        ([DICE, dice(is_2d=True), OF_MASKED], [MASKED], 0.5),
        ([OF_MASKED], [MASKED], 0.5),
    ],
)
def test_masks_are_held(small_mmar: Make, metrics: list[Any], operations: list[Any], threshold: float) -> None:
    found = inferer(small_mmar, metrics, operations, WINDOWS)
    assert (found["_target_"], found["threshold"]) == ("clara_compat.engine.mask_inferer.MaskInferer", threshold)
    assert found["inferer"]["_target_"] == "SlidingWindowInferer"


@pytest.mark.parametrize(
    ("metrics", "operations"),
    [
        ([DICE, dice(logit_thresh=0.3)], []),
        ([dice(logit_thresh=0.0)], []),
        ([dice(logit_thresh=0.3), OF_MASKED], [MASKED]),
        ([DICE, {"name": "ComputeAverage", "args": {"name": "l", "field": "loss"}}], []),
        ([DICE, {"name": "ComputeAverage", "args": {"name": "p", "field": "model"}}], []),
        ([DICE], [{"name": "NegLoss", "args": {"tag": "n"}}]),
        ([DICE], [{"name": "ReduceMeanMasked", "args": {"tags": ["r"]}}]),
        ([DICE, {"path": "mine.Mine", "args": {"name": "mine"}}], []),
        ([OF_MASKED, {"path": "mine.Mine", "args": {"name": "mine"}}], [MASKED]),
    ],
)
def test_probabilities_are_held(small_mmar: Make, metrics: list[Any], operations: list[Any]) -> None:
    assert inferer(small_mmar, metrics, operations, WINDOWS)["_target_"] == "SlidingWindowInferer"


def test_probabilities_of_a_simple_inferer(small_mmar: Make) -> None:
    assert inferer(small_mmar, [DICE], [], {"name": "TFSimpleInferer"})["_target_"] == "SimpleInferer"


def test_windows_of_several_together_in_training_mode(small_mmar: Make) -> None:
    """Other windows would stand in one batch, and the statistics of the batch would be others."""
    several = {**WINDOWS, "args": {**WINDOWS["args"], "batch_size": 4}}
    found = inferer(small_mmar, [DICE], [], several, infer_in_training_mode=True)
    assert found["_target_"] == "SlidingWindowInferer"


def test_under_autocast(small_mmar: Make) -> None:
    found = inferer(small_mmar, [DICE], [], WINDOWS, use_amp=True)
    assert found["_target_"] == "clara_compat.engine.inferers.AutocastInferer"
    assert found["inferer"]["_target_"] == "clara_compat.engine.mask_inferer.MaskInferer"
