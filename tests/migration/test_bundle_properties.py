"""MONAI's own workflow class knows its way around a migrated bundle."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from monai.bundle import ConfigWorkflow
from monai.engines import SupervisedEvaluator
from monai.inferers import Inferer
from monai.transforms import Compose

from clara_compat import migrate, train
from clara_compat.engine.data.dataset import SeededDataset
from clara_compat.engine.metrics.dice import ClaraDice

Make = Callable[..., Path]


def workflow_of(bundle: Path, name: str, kind: str) -> ConfigWorkflow:
    place = {"meta_file": str(bundle / "configs/metadata.json"), "bundle_root": str(bundle), "logging_file": False}
    workflow = ConfigWorkflow(config_file=str(bundle / f"configs/{name}.json"), workflow_type=kind, **place)
    workflow.initialize()
    return workflow


def as_it_is(_: dict[str, Any]) -> None: ...


def with_a_policy(config: dict[str, Any]) -> None:
    config["train"]["lr_policy"] = {"name": "ReducePoly"}


def without_validation(config: dict[str, Any]) -> None:
    config.pop("validate")


def without_metrics(config: dict[str, Any]) -> None:
    config["validate"]["metrics"] = []


def with_a_strange_name(config: dict[str, Any]) -> None:
    config["validate"]["metrics"][0]["args"]["name"] = "mean @dice"


@pytest.mark.parametrize(
    "change",
    [as_it_is, with_a_policy, without_validation, without_metrics, with_a_strange_name],
    ids=lambda f: f.__name__,
)
def test_a_training(small_mmar: Make, tmp_path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    bundle = migrate(tmp_path / "bundle", small_mmar(change)).folder
    workflow = workflow_of(bundle, "train", "train")
    assert workflow.check_properties() == []
    assert workflow.max_epochs == 2
    assert isinstance(workflow.train_dataset, SeededDataset)
    assert isinstance(workflow.train_preprocessing, Compose)
    assert [type(one).__name__ for one in workflow.train_handlers][-2:] == ["NamedHandlers", "Progress"]
    if change is without_validation:
        assert (workflow.evaluator, workflow.val_key_metric) == (None, None)
        return
    assert workflow.evaluator.state.key_metric_name == (
        {without_metrics: None, with_a_strange_name: "mean @dice"}.get(change, "mean_dice")
    )
    assert workflow.val_interval == 1
    assert isinstance(workflow.val_inferer, Inferer)
    assert isinstance(workflow.val_preprocessing, Compose)
    if change is without_metrics:
        assert workflow.val_key_metric is None
    else:
        [metric] = workflow.val_key_metric.values()
        assert isinstance(metric, ClaraDice)


EVALUATION = {
    "DATA_LIST_KEY": "training",
    "do_validation": True,
    "pre_transforms": [
        {"name": "LoadNifti", "args": {"fields": ["image"]}},
        {"name": "ConvertToChannelsFirst", "args": {"fields": ["image"]}},
    ],
    "label_transforms": [
        {"name": "LoadNifti", "args": {"fields": ["label"]}},
        {"name": "ConvertToChannelsFirst", "args": {"fields": ["label"]}},
    ],
    "val_metrics": [{"name": "ComputeAverageDice", "args": {"name": "dice", "field": "model", "label_field": "label"}}],
}


@pytest.mark.parametrize("own", [False, True], ids=["of the training", "of its own"])
def test_an_evaluation_and_an_inference(small_mmar: Make, small_scans: Path, tmp_path: Path, own: bool) -> None:
    mmar = small_mmar()
    if own:
        (mmar / "config/config_validation.json").write_text(json.dumps(EVALUATION))
    train(mmar, overrides={"epochs": 1})
    bundle = migrate(tmp_path / "bundle", mmar).folder
    (bundle / "input").mkdir()
    shutil.copy(small_scans / "case0_image.nii.gz", bundle / "input")
    for name in ("evaluate", "inference"):
        workflow = workflow_of(bundle, name, "infer")
        assert workflow.check_properties() == []
        assert isinstance(workflow.evaluator, SupervisedEvaluator)
        assert workflow.evaluator.data_loader.dataset is workflow.dataset
        assert workflow.evaluator.inferer is workflow.inferer
        assert len(workflow.dataset) == {"evaluate": 4 if own else 1, "inference": 1}[name]
