"""Losses of a config: lists of candidates, what they are told about labels and model, what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from monai.bundle import ConfigParser

from clara_compat import check, train
from clara_compat.config.workflow import load_train_workflow
from clara_compat.translate.bundle import Bundle, Seeds
from clara_compat.translate.train import translate_train

Make = Callable[..., Path]


def translated(mmar: Path) -> Bundle:
    workflow = load_train_workflow(mmar / "config/config_train.json")
    return translate_train(workflow, Seeds(1, 2, 3, 4), Path("models"))


def loss_of(mmar: Path) -> dict[str, Any]:
    return translated(mmar).config["loss"]


def with_loss(loss: Any, **model: Any) -> Callable[[dict[str, Any]], None]:
    def change(config: dict[str, Any]) -> None:
        config["train"]["loss"] = loss
        config["train"]["model"]["args"].update(model)

    return change


def test_one_of_a_list_of_candidates(small_mmar: Make) -> None:
    candidates = [
        {"name": "Dice", "disabled": True},
        {"name": "CrossEntropyDice", "args": {"skip_background": "true", "dice_weight": 2}},
        {"name": "BinaryClassificationLoss", "disabled": True},
    ]
    found = loss_of(small_mmar(with_loss(candidates)))
    assert found["weights"] == [1.0, 2.0]
    assert [part["_target_"].rpartition(".")[2] for part in found["losses"]] == [
        "ClaraCrossEntropyLoss",
        "ClaraDiceLoss",
    ]
    loss = ConfigParser(json.loads(json.dumps({"loss": found}))).get_parsed_content("loss")
    label = torch.ones(1, 1, 4, 4)
    assert loss(torch.full((1, 2, 4, 4), 0.5), label).item() == pytest.approx(0.6931 + 2 * (1 - 16 / 24), abs=1e-4)


def test_two_enabled_candidates(small_mmar: Make) -> None:
    report = check(small_mmar(with_loss([{"name": "Focal"}, {"name": "FocalDice"}])) / "config/config_train.json")
    assert "train.loss: 2 are enabled (Focal (line" in str(report.errors[0])


@pytest.mark.parametrize("name", ["CrossEntropy", "Focal", "FocalDice", "CrossEntropyDice"])
def test_every_loss_trains(small_mmar: Make, name: str) -> None:
    def change(config: dict[str, Any]) -> None:
        with_loss({"name": name})(config)
        config.update(epochs=8, num_training_epoch_per_valid=1, learning_rate=0.01)

    stats = train(small_mmar(change), "config/config_train.json", "config/environment.json").stats
    losses = [-epoch["metrics"]["negloss"] for epoch in stats["epochs"]]  # of the validation's scan
    assert losses[0] > losses[-1] > 0
    assert losses[-1] < 0.9 * losses[0]


def classes(config: dict[str, Any], formats: list[int] | None) -> None:
    config.pop("validate")
    config["train"]["pre_transforms"] = [{"name": "LoadNifti", "args": {"fields": "image"}}]
    config["train"]["image_pipeline"]["name"] = "ClassificationImagePipeline"
    if formats is not None:
        config["train"]["image_pipeline"]["args"]["output_label_format"] = formats


@pytest.mark.parametrize("activation", ["Softmax", "sigmoid", "linear"])
def test_labels_and_model_reach_the_loss(small_mmar: Make, activation: str) -> None:
    """The network would give images; what matters here is what the loss is told."""

    def change(config: dict[str, Any]) -> None:
        classes(config, [1, 3])
        weights = [1, 1, 1, 2, 3]
        loss = {"name": "WeightedMulticlassClassificationLoss", "args": {"class_weights": weights}}
        with_loss(loss, num_classes=4, final_activation=activation)(config)

    found = loss_of(small_mmar(change))
    assert found == {
        "_target_": "clara_compat.engine.losses.classification.ClaraClassificationLoss",
        "classes_per_label": [1, 3],
        "class_weights": [1.0, 1.0, 1.0, 2.0, 3.0],
        "activation": activation.lower(),
    }


@pytest.mark.parametrize("loss", ["BinaryClassificationLoss", "WeightedMulticlassClassificationLoss"])
@pytest.mark.parametrize(
    ("activation", "formats", "message"),
    [
        ("softmax", [1, 1], "a binary label can only be probable when the others are not: set final_activation to sig"),
        ("sigmoid", [1, 1], None),
        ("softmax", [1], "num_classes is 1, over which a softmax"),
    ],
)
def test_binary_labels_under_a_softmax(
    small_mmar: Make, loss: str, activation: str, formats: list[int], message: str | None
) -> None:
    def change(config: dict[str, Any]) -> None:
        classes(config, formats)
        with_loss({"name": loss}, num_classes=len(formats), final_activation=activation)(config)

    bundle = translated(small_mmar(change))
    found = [str(notice.address) for notice in bundle.notices if message is not None and message in notice.text]
    assert len(found) == (message is not None)
    assert all("train.loss" in where if len(formats) > 1 else "train.model" in where for where in found)
    assert bundle.config["loss"]["activation"] == ("softmax" if formats == [1, 1] and message else "sigmoid")


@pytest.mark.parametrize(
    ("loss", "model", "formats", "message"),
    [
        ("Focal", {"final_activation": "Linear"}, None, "Focal takes the logarithm of probabilities"),
        ("Dice", {"num_classes": 1}, None, "skip_background is true but the model has a single output channel"),
        ("BinaryClassificationLoss", {}, None, "BinaryClassificationLoss needs to know the labels"),
        ("BinaryClassificationLoss", {}, [1, 3], "BinaryClassificationLoss is for binary labels"),
        ("MulticlassClassificationLoss", {}, [1, 3], "needs 4 outputs, but the model has 2"),
    ],
)
def test_refused_before_anything_runs(
    small_mmar: Make,
    small_scans: Path,
    tmp_path: Path,
    loss: str,
    model: dict[str, Any],
    formats: list[int] | None,
    message: str,
) -> None:
    items = json.loads((small_scans / "dataset.json").read_text())
    if "Classification" in loss:
        items["training"] = [item | {"label": [0] * len(formats or [0])} for item in items["training"]]
    (tmp_path / "list.json").write_text(json.dumps(items))

    def change(config: dict[str, Any]) -> None:
        args = {"skip_background": True} if loss == "Dice" else {}
        with_loss({"name": loss, "args": args}, **model)(config)
        if "Classification" in loss:
            classes(config, formats)

    file = small_mmar(change) / "config/config_train.json"
    report = check(file, overrides={"DATASET_JSON": str(tmp_path / "list.json")})
    [error] = report.errors
    assert message in str(error)
    assert "train.loss" in str(error.address)


def test_an_unknown_argument_of_an_undocumented_loss(small_mmar: Make) -> None:
    file = small_mmar(with_loss({"name": "FocalDice", "args": {"lambda": 2}})) / "config/config_train.json"
    [error] = check(file).errors
    assert "argument 'lambda' of FocalDice is not understood: how Clara used it is not documented" in str(error)
    assert "focal_weight, dice_weight" in str(error)
