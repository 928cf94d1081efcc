"""What ``check`` says of an epoch and of the cache."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clara_compat import check
from clara_compat.cli.tables import print_check
from clara_compat.components.entry import BundleContext
from clara_compat.config.arguments import create
from clara_compat.config.workflow import load_train_workflow
from clara_compat.engine.data import budget
from clara_compat.run import data_summary
from clara_compat.run.data_summary import DataSummary
from clara_compat.translate import chain

Make = Callable[..., Path]


def train_and_validate(mmar: Path, **options: Any) -> list[DataSummary]:
    report = check(mmar / "config/config_train.json", **options)
    assert report.passed, report.errors
    assert report.as_json()["data"][0]["section"] == "train"
    return report.data


def test_numbers_of_a_plain_pipeline(small_mmar: Make) -> None:
    train, validate = train_and_validate(small_mmar())
    bytes_of_a_scan = 2 * 4 * 24 * 22 * 20
    assert (train.items, train.scans, train.steps, train.crops, train.items_per_step) == (4, 4, 2, 1, 2)
    assert (train.cached_up_to, train.cached_scans) == ("ScaleIntensityRange", 4)
    assert (train.cached_bytes, train.place) == (4 * bytes_of_a_scan, "memory")
    assert (validate.steps, validate.cached_scans, validate.cached_bytes) == (1, 1, bytes_of_a_scan)


def test_repeated_scans_are_held_once(small_mmar: Make, small_scans: Path, tmp_path: Path) -> None:
    content = json.loads((small_scans / "dataset.json").read_text())
    content["training"] = content["training"][:1] * 32
    (tmp_path / "repeated.json").write_text(json.dumps(content))
    train, _ = train_and_validate(small_mmar(), overrides={"DATASET_JSON": str(tmp_path / "repeated.json")})
    assert (train.items, train.scans, train.cached_scans, train.steps) == (32, 1, 1, 16)


def test_a_smart_cache(small_mmar: Make) -> None:
    def change(config: dict[str, Any]) -> None:
        pipeline = config["train"]["image_pipeline"]
        pipeline["name"] = "SegmentationImagePipelineWithCache"
        pipeline["args"] |= {"num_cache_objects": 2, "replace_percent": 0.5, "output_batch_size": 1}

    train, _ = train_and_validate(small_mmar(change))
    assert (train.items, train.items_per_epoch, train.steps, train.cached_scans) == (4, 2, 2, 3)


@pytest.mark.parametrize(("gb", "place"), [(1e-6, "disk"), (0, "nowhere")])
def test_where_it_goes(small_mmar: Make, gb: float, place: str, capsys: pytest.CaptureFixture[str]) -> None:
    train, validate = train_and_validate(small_mmar(), overrides={"cache_gb": gb})
    assert train.place == validate.place == place
    print_check(check(small_mmar(name="again") / "config/config_train.json", overrides={"cache_gb": gb}), as_json=False)
    printed = capsys.readouterr().out
    assert ("nothing" if place == "nowhere" else "in disk") in printed.partition("What an epoch is")[2]


def test_what_fits_nowhere_is_not_called_cached(small_mmar: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 10}))
    train, _ = train_and_validate(small_mmar(), overrides={"cache_gb": 1e-6})
    assert (train.place, train.cached_up_to, train.cached_scans, train.cached_bytes) == ("nowhere", "", 0, 0)


def test_components_are_made_once(small_mmar: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    workflow = load_train_workflow(small_mmar() / "config/config_train.json")
    monkeypatch.setattr(data_summary, "create", lambda spec: made.append(spec.name) or create(spec))
    monkeypatch.setattr(chain, "create", lambda spec: made.append(spec.name) or create(spec))
    train = workflow.train
    for look in (
        lambda: data_summary.summarise(train.image_pipeline, train.pre_transforms, "train", budget.CacheBudget(1)),
        lambda: chain.transform_chain(train.pre_transforms, BundleContext()),
    ):
        made.clear()
        look()
        assert len(made) == len(set(made)) >= len(train.pre_transforms)


def test_a_users_transform(small_mmar: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def change(config: dict[str, Any]) -> None:
        config["train"]["pre_transforms"][2:3] = [{"path": "mine.Mine"}]
        config["validate"]["pre_transforms"].pop()

    mmar = small_mmar(change)
    (mmar / "custom").mkdir()
    code = "class Mine:\n    def transform(self, ctx):\n        return ctx\n"
    (mmar / "custom/mine.py").write_text(code)
    train, _ = train_and_validate(mmar)
    assert (train.cached_up_to, train.cached_bytes, train.place) == ("Mine", None, "memory or disk")
    (mmar / "custom/mine.py").write_text(code + "    def is_deterministic(self):\n        return False\n")
    train, _ = train_and_validate(mmar)
    assert train.cached_up_to == "ConvertToChannelsFirst"
    monkeypatch.setattr(budget, "free_memory", lambda: 1000)
    train, _ = train_and_validate(mmar)
    assert train.place == "disk"


def test_nothing_is_said_of_a_data_list_that_is_not_there(small_mmar: Make) -> None:
    assert not check(small_mmar() / "config/config_train.json", overrides={"DATASET_JSON": "away.json"}).data


def test_classification_data_pass_the_check(small_mmar: Make, small_scans: Path, tmp_path: Path) -> None:
    """The data side of a classification config is checked and counted."""
    items = json.loads((small_scans / "dataset.json").read_text())["training"]
    for number, item in enumerate(items):
        item["label"] = [number % 2, 1]
    (tmp_path / "classes.json").write_text(json.dumps({"training": items}))

    def change(config: dict[str, Any]) -> None:
        config.pop("validate")
        config["train"]["pre_transforms"] = [
            {"name": "LoadNifti", "args": {"fields": "image"}},
            {"name": "ScaleToShape", "args": {"fields": "image", "target_shape": [32, 32, 32]}},
        ]
        config["train"]["image_pipeline"]["name"] = "ClassificationImagePipeline"
        config["train"]["image_pipeline"]["args"]["output_crop_size"] = [32, 32, 32]
        config["train"]["image_pipeline"]["args"]["output_label_format"] = [1, 1]
        config["train"]["loss"] = {"name": "MulticlassClassificationLoss"}
        config["train"]["model"] = {"name": "DenseNet121", "args": {"num_classes": 2, "n_spatial_dim": 3}}

    data = {"DATASET_JSON": str(tmp_path / "classes.json")}
    [train] = train_and_validate(small_mmar(change), overrides=data)
    assert (train.steps, train.cached_bytes) == (2, 4 * 4 * 32**3)
    report = check(
        small_mmar(change, name="other") / "config/config_train.json",
        overrides={
            **data,
            "train.image_pipeline.args.output_label_format": [1, 1, 1],
            "train.model.args.num_classes": 3,
        },
    )
    assert "has 2 numbers in its label, but output_label_format describes 3 labels" in str(report.errors[0])


@pytest.mark.parametrize(
    ("formats", "label", "found"),
    [
        ([1, 3], [2, 0], "has 2 as label 0, which has 2"),
        ([1, 3], [0, 3], "has 3 as label 1, which has 3"),
        ([3], -1, ""),
    ],
)
def test_class_labels_beyond_the_last_class(
    small_mmar: Make, small_scans: Path, tmp_path: Path, formats: list[int], label: Any, found: str
) -> None:
    [item, *_] = json.loads((small_scans / "dataset.json").read_text())["training"]
    (tmp_path / "classes.json").write_text(json.dumps({"training": [item | {"label": label}]}))

    def change(config: dict[str, Any]) -> None:
        config.pop("validate")
        config["train"]["pre_transforms"] = [
            {"name": "LoadNifti", "args": {"fields": "image"}},
            {"name": "ScaleToShape", "args": {"fields": "image", "target_shape": [32, 32, 32]}},
        ]
        config["train"]["image_pipeline"]["name"] = "ClassificationImagePipeline"
        config["train"]["image_pipeline"]["args"]["output_crop_size"] = [32, 32, 32]
        config["train"]["image_pipeline"]["args"]["output_label_format"] = formats
        config["train"]["loss"] = {"name": "MulticlassClassificationLoss"}
        config["train"]["model"] = {"name": "DenseNet121", "args": {"num_classes": sum(formats), "n_spatial_dim": 3}}

    file = small_mmar(change) / "config/config_train.json"
    report = check(file, overrides={"DATASET_JSON": str(tmp_path / "classes.json")})
    errors = [str(error) for error in report.errors]
    assert (
        (len(errors) == 1 and f"{found} classes by output_label_format: expected 0 to" in errors[0])
        if found
        else not errors
    )
