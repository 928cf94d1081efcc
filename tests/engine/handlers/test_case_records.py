"""What a validation records of its cases."""

from __future__ import annotations

import base64
import io
import json
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from monai.data import MetaTensor, list_data_collate
from monai.engines import SupervisedEvaluator
from PIL import Image
from torch import nn

from clara_compat.engine.handlers.case_records import CaseRecords
from clara_compat.engine.legacy.metric import LegacyMetric
from clara_compat.engine.mask_inferer import MaskInferer
from clara_compat.engine.metrics.auc import ClaraAUC
from clara_compat.engine.metrics.average import ClaraAverage
from clara_compat.engine.metrics.compare import greater
from clara_compat.engine.metrics.dice import ClaraDice

AFFINE = np.diag([-2.0, 3.0, 4.0, 1.0])


class TwoClasses(nn.Module):
    """Background and foreground, which is the image's first channel."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return torch.cat([1 - image[:, :1], image[:, :1]], dim=1)


class Same(nn.Module):
    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return image


class Scores(nn.Module):
    """Classifies by the first values of the image."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.outputs = outputs

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return image.flatten(1)[:, : self.outputs]


def item(image: np.ndarray, label: Any, name: str = "", affine: np.ndarray = AFFINE) -> dict[str, Any]:
    meta = {"filename_or_obj": f"/data/{name}.nii.gz"} if name else {}
    return {
        "image": MetaTensor(torch.as_tensor(image, dtype=torch.float32), affine=torch.as_tensor(affine), meta=meta),
        "label": torch.as_tensor(label, dtype=torch.float32),
    }


def validate(
    folder: Path,
    items: Sequence[dict[str, Any]],
    metrics: dict[str, Any],
    network: nn.Module | None = None,
    batch_size: int = 1,
    inferer: Any = None,
    pictures: int = 6,
) -> tuple[dict[str, Any], SupervisedEvaluator]:
    """Run a validation and return what was written, and the engine."""
    batches = [list_data_collate(items[i : i + batch_size]) for i in range(0, len(items), batch_size)]
    names = list(metrics)
    records = CaseRecords(
        str(folder), {names[0]: metrics[names[0]]}, {one: metrics[one] for one in names[1:]}, pictures=pictures
    )
    evaluator = SupervisedEvaluator(
        device=torch.device("cpu"),
        val_data_loader=batches,
        network=TwoClasses() if network is None else network,
        inferer=inferer,
        key_val_metric={names[0]: metrics[names[0]]},
        additional_metrics={one: metrics[one] for one in names[1:]},
        metric_cmp_fn=greater,
        val_handlers=[records],
        decollate=False,
    )
    evaluator.run(1)
    file = folder / "validation_cases.json"
    return (json.loads(file.read_text()) if file.exists() else {}), evaluator


def decoded(text: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(text))))


def scans(count: int, shape: tuple[int, ...] = (1, 9, 8, 7), seed: int = 0) -> list[dict[str, Any]]:
    generator = np.random.default_rng(seed)
    found = []
    for index in range(count):
        label = generator.random(shape) < 0.2
        image = np.where(generator.random(shape) < 0.02 + 0.03 * index, ~label, label)
        found.append(item(image.astype(np.float32), label, f"case{index}"))
    return found


def dice(one: dict[str, Any]) -> float:
    predicted, true = one["image"].numpy() >= 0.5, one["label"].numpy() > 0
    return float(2 * (predicted & true).sum() / (predicted.sum() + true.sum()))


@pytest.mark.parametrize("batch_size", [1, 2, 3])
@pytest.mark.parametrize("shape", [(1, 9, 8, 7), (1, 9, 8)])
def test_values_of_every_case(tmp_path: Path, batch_size: int, shape: tuple[int, ...]) -> None:
    items = scans(7, shape)
    content, engine = validate(tmp_path, items, {"mean_dice": ClaraDice()}, batch_size=batch_size)
    expected = [dice(one) for one in items]
    assert [case["metrics"]["mean_dice"] for case in content["cases"]] == pytest.approx(expected, abs=1e-12)
    assert [case["name"] for case in content["cases"]] == [f"case{i}" for i in range(7)]
    assert content["cases"][2]["file"] == "/data/case2.nii.gz"
    assert (content["epoch"], content["key_metric"], content["ranked_by"]) == (1, "mean_dice", "mean_dice")
    assert content["metrics"]["mean_dice"] == engine.state.metrics["mean_dice"] == pytest.approx(np.mean(expected))
    for case, one in zip(content["cases"], items, strict=True):
        predicted, true = one["image"].numpy() >= 0.5, one["label"].numpy() > 0
        counts = {"both": (predicted & true).sum(), "prediction": predicted.sum(), "label": true.sum()}
        assert case["voxels"] == [counts]
        assert case["voxel_mm3"] == (pytest.approx(24.0) if len(shape) == 4 else None)
    worst = sorted(range(7), key=expected.__getitem__)[:6]
    assert [picture["case"] for picture in content["pictures"]] == worst


def test_the_slice_with_most_wrong_voxels_of_the_worst_cases(tmp_path: Path) -> None:
    items = scans(9)
    content, _ = validate(tmp_path, items, {"mean_dice": ClaraDice()}, pictures=3)
    assert len(content["pictures"]) == 3
    for picture in content["pictures"]:
        one = items[picture["case"]]
        image, label = one["image"].numpy()[0], one["label"].numpy()[0]
        number = int(((image >= 0.5) != (label > 0)).sum(axis=(0, 1)).argmax())
        assert picture["place"] == f"slice {number + 1} of 7"
        [layer] = picture["layers"]
        assert layer["name"] == "class 1"
        np.testing.assert_array_equal(decoded(layer["label"]), label[..., number] > 0)
        np.testing.assert_array_equal(decoded(layer["prediction"]), image[..., number] >= 0.5)
        np.testing.assert_array_equal(decoded(picture["image"]), 255 * (image[..., number] >= 0.5))
        assert (picture["affine"], picture["spacing"]) == (AFFINE.tolist(), [2.0, 3.0])


def test_where_nothing_is_wrong_the_slice_with_most_label(tmp_path: Path) -> None:
    label = np.zeros((1, 6, 5, 4))
    label[0, 1:4, 1:4, 2] = label[0, 0, 0, 0] = 1
    content, _ = validate(tmp_path, [item(label, label)], {"mean_dice": ClaraDice()})
    assert content["cases"][0]["dice"] == [1.0]
    assert content["pictures"][0]["place"] == "slice 3 of 4"


@pytest.mark.parametrize("channels", [2, 4])
def test_an_image_of_several_channels(tmp_path: Path, channels: int) -> None:
    label = np.zeros((1, 6, 5, 4))
    label[0, 1:4, 1:4, 2] = 1
    image = np.concatenate([label, np.full((channels - 1, 6, 5, 4), 9.0)])
    content, _ = validate(tmp_path, [item(image, label)], {"mean_dice": ClaraDice()})
    assert content["pictures"][0]["place"] == f"slice 3 of 4, first of {channels} channels"


def test_a_picture_in_colour(tmp_path: Path) -> None:
    image = np.zeros((3, 6, 5))
    image[0, 2] = image[2, 3] = 1.0
    content, _ = validate(tmp_path, [item(image, image[:1])], {"mean_dice": ClaraDice()})
    [picture] = content["pictures"]
    np.testing.assert_array_equal(decoded(picture["image"]), 255 * np.moveaxis(image, 0, -1))
    assert picture["place"] == "the whole picture"
    assert picture["affine"] == np.eye(4).tolist()  # a picture has no patient


def test_several_label_channels(tmp_path: Path) -> None:
    generator = np.random.default_rng(3)
    label = (generator.random((3, 8, 7, 6)) < 0.3).astype(np.float32)
    image = np.abs(label - (generator.random(label.shape) < 0.1))
    metric = ClaraDice(is_one_hot_targets=True, remove_bg=False)
    content, _ = validate(tmp_path, [item(image, label)], {"mean_dice": metric}, network=Same())
    predicted, true = image >= 0.5, label >= 0.5
    expected = 2 * (predicted & true).sum(axis=(1, 2, 3)) / (predicted.sum(axis=(1, 2, 3)) + true.sum(axis=(1, 2, 3)))
    assert content["classes"] == ["class 0", "class 1", "class 2"]
    assert content["cases"][0]["dice"] == pytest.approx(expected)
    [picture] = content["pictures"]
    number = int((predicted != true).sum(axis=(0, 1, 2)).argmax())
    assert picture["place"].startswith(f"slice {number + 1} of 6")
    for layer in picture["layers"]:
        channel = int(layer["name"].split()[1])
        np.testing.assert_array_equal(decoded(layer["prediction"]), predicted[channel, ..., number])


def test_a_background_channel_is_no_layer(tmp_path: Path) -> None:
    inside = np.zeros((1, 6, 5))
    inside[0, 1:4, 1:4] = 1
    label = np.concatenate([1 - inside, inside])
    metric = ClaraDice(is_one_hot_targets=True, remove_bg=False)
    content, _ = validate(tmp_path, [item(label, label)], {"mean_dice": metric}, network=Same())
    assert [layer["name"] for layer in content["pictures"][0]["layers"]] == ["class 1"]


def test_masks_held_as_bytes_give_the_same_record(tmp_path: Path) -> None:
    from monai.inferers import SlidingWindowInferer

    windows = SlidingWindowInferer((4, 4, 4), overlap=0.0)
    records = [
        validate(tmp_path / name, scans(4), {"mean_dice": ClaraDice()}, inferer=inferer)[0]
        for name, inferer in (("values", windows), ("bytes", MaskInferer(windows)))
    ]
    assert records[0] == records[1]


def test_only_the_best_validation_is_kept(tmp_path: Path) -> None:
    items = scans(3)
    _, engine = validate(tmp_path, items, {"mean_dice": ClaraDice()})
    engine.state.best_metric = 2.0  # better than any Dice
    engine.run(2)
    assert json.loads((tmp_path / "validation_cases.json").read_text())["epoch"] == 1
    engine.state.best_metric = 0.0
    engine.run(3)
    content = json.loads((tmp_path / "validation_cases.json").read_text())
    assert (content["epoch"], len(content["cases"])) == (3, 3)
    assert [path.name for path in tmp_path.iterdir()] == ["validation_cases.json"]


def pictures_of_classes(count: int, outputs: int = 2) -> list[dict[str, Any]]:
    generator = np.random.default_rng(1)
    return [
        item(generator.random((1, 6, 5)), generator.integers(0, 2, outputs), f"p{index}", np.diag([0.5, 0.5, 1, 1]))
        for index in range(count)
    ]


@pytest.mark.parametrize("batch_size", [1, 4])
def test_a_classification_is_ranked_by_its_distance_from_the_truth(tmp_path: Path, batch_size: int) -> None:
    items = pictures_of_classes(10)
    content, _ = validate(tmp_path, items, {"auc": ClaraAUC()}, network=Scores(2), batch_size=batch_size)
    assert content["ranked_by"] is None
    scores = np.stack([one["image"].numpy().ravel()[:2] for one in items])
    truth = np.stack([one["label"].numpy() for one in items])
    np.testing.assert_allclose([case["scores"] for case in content["cases"]], scores, atol=1e-6)
    np.testing.assert_array_equal([case["truth"] for case in content["cases"]], truth)
    errors = np.abs(scores - truth).mean(axis=1)
    assert [case["error"] for case in content["cases"]] == pytest.approx(errors.tolist(), abs=1e-5)
    assert [one["case"] for one in content["pictures"]] == np.argsort(-errors)[:6].tolist()
    assert all(one["layers"] == [] for one in content["pictures"])


def test_scores_are_as_exact_as_the_metric_saw_them(tmp_path: Path) -> None:
    items = [item(np.full((1, 1, 2), 1e-8 * (index + 1)), [index % 2, index > 3], f"p{index}") for index in range(8)]
    content, engine = validate(tmp_path, items, {"auc": ClaraAUC()}, network=Scores(2))
    scores, truth = (np.array([case[one] for case in content["cases"]]) for one in ("scores", "truth"))
    areas = []
    for score, true in zip(scores.T, truth.T, strict=True):
        pairs = score[true == 1][:, None] - score[true == 0][None]
        areas.append(((pairs > 0) + 0.5 * (pairs == 0)).mean())
    assert np.mean(areas) == pytest.approx(engine.state.metrics["auc"])
    assert np.mean(areas) > 0.7


def test_a_class_of_several(tmp_path: Path) -> None:
    items = [item(np.array([[[0.2, 0.7, 0.1]]]), [1.0], "a"), item(np.array([[[0.2, 0.7, 0.1]]]), [2.0], "b")]
    content, _ = validate(tmp_path, items, {"auc": ClaraAUC(classes_per_label=[3])}, network=Scores(3))
    assert [case["truth"] for case in content["cases"]] == [[0, 1, 0], [0, 0, 1]]
    assert content["cases"][0]["error"] == pytest.approx((0.2 + 0.3 + 0.1) / 3)
    assert content["pictures"][0]["case"] == 1


class Kept:
    """A user's metric with a list: the mean of the prediction's second channel."""

    field, label_field = "model", "label"

    def __init__(self, keeps: bool = True) -> None:
        self.keeps = keeps
        self.reset()

    def reset(self) -> None:
        self._list: list[Any] = []
        self.total = 0.0

    def update(self, value: np.ndarray, label: Any, filename: str, data_prop: Any) -> None:
        self.total += float(value[1].mean())
        if self.keeps:
            self._list.append(float(value[1].mean()))

    def get(self) -> float:
        return self.total


@pytest.mark.parametrize("keeps", [True, False])
def test_a_users_metric(tmp_path: Path, keeps: bool) -> None:
    items = scans(4)
    metric = LegacyMetric(Kept(keeps), "own")
    content, _ = validate(tmp_path, items, {"own": metric}, batch_size=2)
    values = [float(one["image"].numpy().mean()) for one in items]
    if keeps:
        assert [case["metrics"]["own"] for case in content["cases"]] == pytest.approx(values, abs=1e-6)
        assert content["pictures"][0]["case"] == int(np.argmin(values))
    else:  # then the share of wrong voxels ranks
        assert [case["metrics"]["own"] for case in content["cases"]] == [None] * 4
        assert [case["error"] for case in content["cases"]] == pytest.approx([1 - dice(one) for one in items])
        assert content["pictures"][0]["case"] == int(np.argmin([dice(one) for one in items]))


def test_a_value_for_a_batch_is_none_of_a_case(tmp_path: Path) -> None:
    metrics = {"mean_dice": ClaraDice(), "loss": ClaraAverage("loss", loss=nn.MSELoss(), negate_value=True)}
    network = nn.Sequential(Same())
    content, _ = validate(tmp_path, scans(4), metrics, network=network, batch_size=2)
    assert [case["metrics"]["loss"] for case in content["cases"]] == [None] * 4
    content, _ = validate(tmp_path / "one", scans(2), metrics, network=network)
    assert all(case["metrics"]["loss"] is not None for case in content["cases"])


def test_a_case_without_its_class_is_undefined_and_last(tmp_path: Path) -> None:
    empty = item(np.ones((1, 9, 8, 7)), np.zeros((1, 9, 8, 7)), "empty")
    content, _ = validate(tmp_path, [empty, *scans(2)], {"mean_dice": ClaraDice()})
    assert content["cases"][0]["metrics"]["mean_dice"] is None
    assert content["pictures"][-1]["case"] == 0


def test_images_on_another_grid_have_no_picture(tmp_path: Path) -> None:
    items = [item(np.zeros((1, 6, 5, 4)), np.ones((1, 3, 2, 2)))]
    network = nn.Sequential()
    network.forward = lambda image: torch.ones(1, 2, 3, 2, 2)  # type: ignore[method-assign]
    content, _ = validate(tmp_path, items, {"mean_dice": ClaraDice()}, network=network)
    assert content["cases"][0]["metrics"]["mean_dice"] == 1.0
    assert content["cases"][0]["name"] == "case_1"
    assert content["pictures"] == []


def test_a_full_disk_does_not_end_a_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(content: Any, path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("clara_compat.engine.handlers.case_records.save_json", full)
    with caplog.at_level(logging.WARNING):
        assert validate(tmp_path, scans(1), {"mean_dice": ClaraDice()})[0] == {}
    assert "validation_cases.json cannot be written: No space left on device" in caplog.text


def test_a_large_picture_is_thinned(tmp_path: Path) -> None:
    image = np.zeros((1, 600, 400))
    image[0, 100:300, 50:200] = 1
    content, _ = validate(tmp_path, [item(image, image)], {"mean_dice": ClaraDice()})
    [picture] = content["pictures"]
    assert decoded(picture["image"]).shape == (200, 134)
    assert picture["spacing"] == [6.0, 9.0]


Make = Callable[..., Path]


def test_the_weights_are_those_of_a_training_without_it(small_mmar: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    from clara_compat import train

    found = []
    for name in ("with", "without"):
        if name == "without":
            monkeypatch.setattr(CaseRecords, "attach", lambda self, engine: None)
        result = train(small_mmar(name=name))
        assert ("cases" in result.paths) == (name == "with")
        found.append(SimpleNamespace(weights=result.network.state_dict(), stats=result.stats))
    with_it, without = found
    assert all(torch.equal(value, without.weights[name]) for name, value in with_it.weights.items())
    losses = [[(epoch["loss"], epoch["metrics"]) for epoch in one.stats["epochs"]] for one in found]
    assert losses[0] == losses[1]


def test_a_training_without_validation_or_metrics_has_no_record(small_mmar: Make) -> None:
    from clara_compat import train

    result = train(small_mmar(lambda config: config.pop("validate")))
    assert "cases" not in result.paths
    assert "report" in result.paths
