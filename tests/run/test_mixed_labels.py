"""A classification of a binary label and one of three classes, through training and evaluation."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from clara_compat import evaluate, train

Make = Callable[..., Path]

CHAIN = [
    {"name": "LoadPng", "args": {"fields": ["image"]}},
    {"name": "ConvertToChannelsFirst", "args": {"fields": ["image"]}},
    {"name": "ScaleIntensityRange", "args": {"fields": "image", "a_min": 0, "a_max": 255, "b_min": 0, "b_max": 1}},
]
LABELS = [[0, 0], [1, 2], [0, 1], [1, 1], [0, 2], [1, 0]]
NAMES = ("auc_0", "auc_1", "auc_2", "auc_3")
METRICS = [
    *({"name": "ComputeAUC", "args": {"name": name, "class_index": i}} for i, name in enumerate(NAMES)),
    {"name": "ComputeMulticlassAverage", "args": {"name": "of_the_classes", "label_index": 1}},
]
for metric in METRICS:
    metric["args"] |= {"field": "model", "label_field": "label"}


@pytest.fixture
def pictures(tmp_path: Path) -> dict[str, str]:
    """Pictures with mixed labels; returns the variables that name them."""
    random = np.random.default_rng(0)
    items = []
    for i, label in enumerate(LABELS):
        Image.fromarray(random.integers(0, 255, (17, 17), np.uint8)).save(tmp_path / f"{i}.png")
        items.append({"image": f"{i}.png", "label": label})
    (tmp_path / "list.json").write_text(json.dumps({"training": items, "validation": items}))
    return {"DATA_ROOT": str(tmp_path), "DATASET_JSON": str(tmp_path / "list.json")}


def classification(config: dict[str, Any]) -> None:
    """Only the pipeline of train says what the labels are."""
    config["epochs"] = 1
    train_section, validate = config["train"], config["validate"]
    train_section["loss"] = {"name": "MulticlassClassificationLoss"}
    args = {"num_classes": 4, "num_feat": "4,4,4,4,4,4,4", "use_group_normG": 2, "final_activation": "sigmoid"}
    train_section["model"] = {"name": "Alexnet", "args": args}
    validate["metrics"], validate["inferer"] = METRICS, {"name": "TFSimpleInferer"}
    for section in (train_section, validate):
        section["pre_transforms"] = CHAIN
        section["image_pipeline"]["name"] = "ClassificationImagePipeline"
        section["image_pipeline"]["args"] |= {"output_crop_size": [17, 17], "output_batch_size": 3}
    train_section["image_pipeline"]["args"]["output_label_format"] = [1, 3]


def _area(scores: np.ndarray, truth: np.ndarray) -> float:
    """The share of pairs in the right order, ties half."""
    differences = scores[truth][:, None] - scores[~truth][None]
    return float(np.mean((differences > 0) + 0.5 * (differences == 0)))


def test_the_labels_of_the_training_reach_validation_and_evaluation(
    small_mmar: Make, evaluation_mmar: Make, pictures: dict[str, str]
) -> None:
    trained = train(small_mmar(classification), overrides=pictures)

    def change(config: dict[str, Any]) -> None:
        del config["inferer"]
        config["pre_transforms"], config["val_metrics"] = CHAIN, METRICS
        config["post_transforms"] = config["label_transforms"] = []
        args = {"field": "model", "write_path": "{MMAR_EVAL_OUTPUT_PATH}"}
        config["writers"] = [{"name": "WriteClassificationResult", "args": args}]
        config["model_loader"] = {"name": "CheckpointLoader", "args": {"checkpoint_dir": "{MMAR_CKPT_DIR}"}}

    mmar = evaluation_mmar(change, name="evaluated")
    folder = {"MMAR_CKPT_DIR": str(trained.paths["model"].parent), "do_validation": True}
    result = evaluate(mmar, overrides=pictures | folder)
    scores = np.array([row[1:] for row in csv.reader((mmar / "eval/preds_model.csv").open())], dtype=np.float64)
    labels = np.array(LABELS)
    truths = [labels[:, 0] == 1, *(labels[:, 1] == n for n in range(3))]
    areas = [_area(scores[:, i], truth) for i, truth in enumerate(truths)]
    expected = {**dict(zip(NAMES, areas, strict=True)), "of_the_classes": np.mean(areas[1:])}
    assert len(set(areas)) > 1
    assert result.metrics == pytest.approx(expected, abs=1e-9)
    assert trained.stats["epochs"][0]["metrics"] == pytest.approx(expected, abs=1e-9)
