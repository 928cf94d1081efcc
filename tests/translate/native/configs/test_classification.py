"""Native trainings of classifications: label formats, networks, areas under the curve."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from clara_compat.config.workflow import load_train_workflow
from clara_compat.translate.bundle import Seeds
from clara_compat.translate.native.native_config import NativeConfig, is_ours
from clara_compat.translate.native.train import native_train
from clara_compat.translate.train import translate_train

Run = Callable[[dict[str, Any]], dict[str, Any]]
Native = Callable[..., NativeConfig]


@pytest.fixture
def native_of(small_mmar: Callable[..., Path], tmp_path: Path) -> Native:
    """Return the native config of a training on six pictures with labels of a format."""

    def make(formats: list[int], activation: str, model: str = "DenseNet121", **changes: Any) -> NativeConfig:
        generator = np.random.default_rng(0)
        items = []
        for number in range(6):
            Image.fromarray(generator.integers(0, 255, (40, 36), dtype=np.uint8)).save(tmp_path / f"{number}.png")
            label = [number % max(classes, 2) for classes in formats]
            items.append({"image": f"{number}.png", "label": label if len(label) > 1 else label[0]})
        (tmp_path / "dataset.json").write_text(json.dumps({"training": items, "validation": items}))

        def change(config: dict[str, Any]) -> None:
            train, validate = config["train"], config["validate"]
            args = {"num_classes": sum(formats), "final_activation": activation}
            more = {"num_feat": "8,8,8,8,8,8,8"} if model == "Alexnet" else {}
            train["model"] = {"name": model, "args": {**args, **more}}
            train["loss"] = changes.get("loss", {"name": "MulticlassClassificationLoss"})
            train["aux_ops"] = changes.get("aux_ops", [])
            train["pre_transforms"] = validate["pre_transforms"] = [
                {"name": "LoadPng", "args": {"fields": ["image"]}},
                {"name": "ConvertToChannelsFirst", "args": {"fields": ["image"]}},
                {"name": "ScaleToShape", "args": {"fields": ["image"], "target_shape": [32, 32]}},
            ]
            auc = {"name": "auc", "field": "model", "label_field": "label"}
            validate["metrics"] = changes.get("metrics", [{"name": "ComputeAUC", "args": auc}])
            validate["inferer"] = {"name": "TFSimpleInferer"}
            for section in (train, validate):
                section["image_pipeline"]["name"] = "ClassificationImagePipeline"
                pipeline = section["image_pipeline"]["args"]
                pipeline |= {"output_crop_size": [32, 32], "output_label_format": formats, "output_batch_size": 3}

        mmar = small_mmar(change)
        data = {"DATA_ROOT": str(tmp_path), "DATASET_JSON": str(tmp_path / "dataset.json")}
        workflow = load_train_workflow(mmar / "config/config_train.json", overrides=data)
        native = native_train(translate_train(workflow, Seeds(0, 0, 0, 0), mmar / "models").config)
        assert not is_ours({name: value for name, value in native.config.items() if not isinstance(value, str)})
        return native

    return make


def average(name: str, field: str) -> dict[str, Any]:
    return {"name": "ComputeAverage", "args": {"name": name, "field": field}}


ACCURACY = [{"name": "ComputeAccuracy", "args": {"tag": "accuracy"}}]
AUC = {"field": "model", "label_field": "label"}

CASES: dict[str, tuple[list[int], str, dict[str, Any]]] = {
    "binary": ([1], "sigmoid", {"loss": {"name": "BinaryClassificationLoss"}}),
    "two binary": ([1, 1], "sigmoid", {}),
    "logits": ([1, 1], "linear", {}),
    "classes": ([3], "softmax", {}),
    "weighted classes": (
        [3],
        "softmax",
        {"loss": {"name": "WeightedMulticlassClassificationLoss", "args": {"class_weights": [1, 2, 3]}}},
    ),
    "mixed": ([1, 3], "linear", {}),
    "index and cross entropy": ([3], "softmax", {"loss": {"name": "CrossEntropy"}}),
    "index and focal": ([3], "softmax", {"loss": {"name": "Focal"}}),
    "alexnet": ([3], "softmax", {"model": "Alexnet"}),
    "accuracy of classes": ([3], "softmax", {"aux_ops": ACCURACY, "metrics": [average("accuracy", "accuracy")]}),
    "accuracy of binary labels": ([1, 1], "sigmoid", {"aux_ops": ACCURACY, "metrics": [average("a", "accuracy")]}),
    "accuracy of mixed labels": ([1, 3], "linear", {"aux_ops": ACCURACY, "metrics": [average("a", "accuracy")]}),
    "one output": (
        [3],
        "softmax",
        {"metrics": [{"name": "ComputeAUC", "args": {"name": "x", "class_index": 2, **AUC}}]},
    ),
    "one label": (
        [1, 3],
        "linear",
        {"metrics": [{"name": "ComputeMulticlassAverage", "args": {"name": "x", "label_index": 1, **AUC}}]},
    ),
    "all labels": ([1, 3], "linear", {"metrics": [{"name": "ComputeMulticlassAverage", "args": {"name": "x", **AUC}}]}),
    "no average": (
        [3],
        "softmax",
        {"metrics": [{"name": "ComputeAUC", "args": {"name": "x", "auc_average": None, **AUC}}]},
    ),
    "loss": ([1, 3], "linear", {"metrics": [average("loss", "loss")]}),
}


@pytest.mark.parametrize("name", CASES)
def test_trains(native_of: Native, run_native: Run, name: str) -> None:
    formats, activation, changes = CASES[name]
    native = native_of(formats, activation, **changes)
    result = run_native({**native.config, "epochs": 1, "device": "cpu"})
    assert math.isfinite(result["loss"])
    [(key, value)] = result["metrics"].items()
    assert key in native.config["validate"]["key_metric"]
    assert "loss" in key or 0.0 <= value <= 1.0


@pytest.mark.parametrize(
    ("formats", "activation", "changes", "entry", "text"),
    [
        (
            [1, 3],
            "linear",
            CASES["accuracy of mixed labels"][2],
            "validate#key_metric#a",
            "several kinds",
        ),
        ([1, 3], "linear", CASES["all labels"][2], "validate#key_metric#x", "Every class counts alike"),
        ([3], "softmax", {"loss": {"name": "Dice"}}, "loss", "one Dice of the whole batch"),
    ],
)
def test_what_differs_is_told(
    native_of: Native, formats: list[int], activation: str, changes: dict[str, Any], entry: str, text: str
) -> None:
    [difference] = [one for one in native_of(formats, activation, **changes).differences if one.entry == entry]
    assert text in difference.text
