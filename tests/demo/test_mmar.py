"""The MMARs that ship with the project are ones as users have them."""

from __future__ import annotations

import configparser
import importlib.util
import json
import os
import re
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from clara_compat.demo.lesion_images import make_pictures, make_volumes
from clara_compat.demo.mmar import demo_mmar_folder
from clara_compat.demo.scans import make_scans
from clara_compat.run.check import check

MMAR = demo_mmar_folder()
NAMES = ("demo_mmar", "demo_tensorflow", "demo_classification_2d", "demo_classification_3d")
CLASSIFICATIONS = {"demo_classification_2d": make_pictures, "demo_classification_3d": make_volumes}
STEP_1 = {
    "LoadNifti", "ConvertToChannelsFirst", "ScaleByResolution", "ScaleIntensityRange", "RandomZoom",
    "FastPosNegRatioCropROI", "RandomSpatialFlip", "ScaleShiftIntensity", "ScaleIntensityOscillation",
}  # fmt: skip


def _config(name: str, mmar: str = "demo_mmar") -> dict[str, Any]:
    return json.loads((demo_mmar_folder(mmar) / "config" / name).read_text())


@pytest.fixture(scope="module")
def custom() -> ModuleType:
    spec = importlib.util.spec_from_file_location("demo_random_gamma", MMAR / "custom" / "randomGamma.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("mmar", NAMES)
@pytest.mark.parametrize("name", ["config_train.json", "config_validation.json", "environment.json"])
def test_configs_are_json(name: str, mmar: str) -> None:
    assert _config(name, mmar)


@pytest.mark.parametrize("mmar", NAMES)
def test_an_mmar_has_all_its_folders(mmar: str) -> None:
    folder = demo_mmar_folder(mmar)
    assert {"commands", "config", "docs", "eval", "models", "resources"} <= {part.name for part in folder.iterdir()}
    assert sorted(file.name for file in (folder / "commands").iterdir()) == [
        "export.sh", "infer.sh", "set_env.sh", "train.sh", "train_finetune.sh", "validate.sh",
    ]  # fmt: skip


def test_training_names_the_users_transform_by_its_path() -> None:
    train = _config("config_train.json")["train"]
    paths = [entry["path"] for entry in train["pre_transforms"] if "path" in entry]
    assert paths == ["randomGamma.RandomGamma"]
    names = {entry["name"].partition("#")[0] for entry in train["pre_transforms"]} - {"RandomGamma"}
    assert names <= STEP_1
    assert train["model"]["args"]["use_group_norm"] is True


@pytest.mark.parametrize("mmar", NAMES)
def test_references_resolve(mmar: str) -> None:
    config = _config("config_train.json", mmar)
    aliases = {part for entry in config["train"]["pre_transforms"] for part in entry["name"].split("#")}
    assert {entry["ref"] for entry in config["validate"]["pre_transforms"]} <= aliases


def test_the_scanning_window_has_the_size_of_the_crops() -> None:
    config = _config("config_train.json")
    crop = next(e for e in config["train"]["pre_transforms"] if e["name"] == "FastPosNegRatioCropROI")["args"]["size"]
    assert config["validate"]["inferer"]["args"]["roi_size"] == crop
    assert config["train"]["image_pipeline"]["args"]["output_crop_size"] == crop
    assert _config("config_validation.json")["inferer"]["args"]["roi_size"] == crop


@pytest.mark.parametrize("mmar", NAMES)
def test_evaluation_prepares_images_as_training_does(mmar: str) -> None:
    train, evaluation = _config("config_train.json", mmar), _config("config_validation.json", mmar)
    arguments = {}
    for entry in train["train"]["pre_transforms"]:
        arguments.setdefault(entry["name"].replace("#ScaleImg", ""), entry["args"])
    for entry in evaluation["pre_transforms"]:
        assert {**entry["args"], "fields": None} == {**arguments[entry["name"]], "fields": None}
        assert entry["args"]["fields"] == ["image"]


@pytest.mark.parametrize("mmar", NAMES)
def test_the_log_config_is_of_the_ini_format(mmar: str) -> None:
    parser = configparser.RawConfigParser()
    parser.read(demo_mmar_folder(mmar) / "resources" / "log.config")
    assert parser["loggers"]["keys"] == "root,modelLogger"
    assert parser["formatter_fullFormatter"]["format"] == "%(asctime)s - %(name)s - %(levelname)s - %(message)s"


def test_every_scan_is_larger_than_a_crop(tmp_path: Path) -> None:
    import nibabel

    config = _config("config_train.json")["train"]["pre_transforms"]
    crop = next(entry for entry in config if entry["name"] == "FastPosNegRatioCropROI")["args"]["size"]
    target = next(entry for entry in config if entry["name"].endswith("ScaleImg"))["args"]["target_resolution"]
    data_list = make_scans(tmp_path, training=32, validation=4)
    for file in (data_list.parent / "imagesTr").glob("*.nii.gz"):
        image = nibabel.load(file)
        size = np.round(np.asarray(image.shape) * image.header.get_zooms() / target)
        assert (size >= crop).all(), file


@pytest.mark.parametrize("mmar", NAMES)
@pytest.mark.parametrize("command", ["train", "train_finetune", "validate", "infer"])
def test_commands_start_the_legacy_program(tmp_path: Path, command: str, mmar: str) -> None:
    folder = demo_mmar_folder(mmar)
    script = folder / "commands" / f"{command}.sh"
    fake = tmp_path / "python3"
    fake.write_text('#!/usr/bin/env bash\nprintf "%s\\n" "PYTHONPATH=$PYTHONPATH" "$@"\n')
    fake.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": "/elsewhere"}
    called = subprocess.run(
        ["bash", str(script), "epochs=2", "learning_rate=1e-3"],
        env=environment, cwd=tmp_path, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    assert f"PYTHONPATH={folder}/custom:/elsewhere" in called
    program = "train" if command.startswith("train") else "evaluate"
    arguments = called[called.index("-u") :]
    assert arguments[:5] == ["-u", "-m", f"nvmidl.apps.{program}", "-m", str(folder)]
    assert (folder / arguments[arguments.index("-c") + 1]).is_file()
    assert (folder / arguments[arguments.index("-e") + 1]).is_file()
    assert f"DATASET_JSON={folder}/data/dataset.json" in arguments
    assert arguments[-2:] == ["epochs=2", "learning_rate=1e-3"]


@pytest.mark.parametrize("mmar", NAMES)
def test_the_command_of_the_export(tmp_path: Path, mmar: str) -> None:
    folder = demo_mmar_folder(mmar)
    fake = tmp_path / "python3"
    fake.write_text('#!/usr/bin/env bash\nprintf "%s\\n" "$@"\n')
    fake.chmod(0o755)
    called = subprocess.run(
        ["bash", str(folder / "commands/export.sh"), "--trtis_export"],
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    assert called[1:6] == ["-u", "-m", "nvmidl.apps.export", "--model_file_path", f"{folder}/models"]
    assert called[-1] == "--trtis_export"


@pytest.mark.parametrize("mmar", NAMES)
def test_the_readme_names_only_what_is_there(mmar: str) -> None:
    folder = demo_mmar_folder(mmar)
    text = (folder / "docs" / "Readme.md").read_text()
    for name in re.findall(r"`((?:config|custom|resources)/[\w.]+)`", text):
        assert (folder / name).exists(), name


@pytest.mark.parametrize("mmar", CLASSIFICATIONS)
def test_classification_configs_fit_their_data(tmp_path: Path, mmar: str) -> None:
    train, evaluation = _config("config_train.json", mmar), _config("config_validation.json", mmar)
    data_list = CLASSIFICATIONS[mmar](tmp_path, training=6, validation=4, testing=1)
    content = json.loads(data_list.read_text())
    label_format = content["label_format"]
    dims = 3 if mmar.endswith("3d") else 2
    shape = next(one["args"]["target_shape"] for one in evaluation["pre_transforms"] if one["name"] == "ScaleToShape")
    assert len(shape) == dims
    for section in ("train", "validate"):
        pipeline = train[section]["image_pipeline"]["args"]
        assert pipeline["output_label_format"] == label_format
        assert pipeline["output_crop_size"] == shape
    outputs = sum(label_format)
    assert train["train"]["model"]["args"]["num_classes"] == outputs == len(content["labels"])
    assert train["train"]["model"]["args"].get("n_spatial_dim", 2) == dims
    for metrics in (train["validate"]["metrics"], evaluation["val_metrics"]):
        assert all(one["args"].get("class_index", 0) < outputs for one in metrics)
    [key] = [one for one in train["validate"]["metrics"] if one["args"].get("is_key_metric")]
    assert (key["name"], key["args"]["field"]) == ("ComputeAUC", "model")
    places = {"DATA_ROOT": tmp_path, "DATASET_JSON": data_list, "MMAR_CKPT_DIR": tmp_path / "models"}
    found = check(
        demo_mmar_folder(mmar) / "config/config_train.json",
        overrides={name: str(path) for name, path in places.items()},
    )
    assert found.passed, found.errors
    assert [(one.section, one.items) for one in found.data] == [("train", 6), ("validate", 4)]


def test_the_custom_transform_bends_grey_values(custom: ModuleType) -> None:
    from ai4med.common.medical_image import MedicalImage
    from ai4med.common.shape_format import ShapeFormat
    from ai4med.common.transform_ctx import TransformContext

    transform = custom.RandomGamma(fields="image", max_gamma=2.0)
    assert not transform.is_deterministic()
    values = np.linspace(-0.2, 1.2, 64, dtype=np.float32).reshape(1, 4, 4, 4)
    np.random.seed(0)
    gammas = []
    for _ in range(2000):
        context = TransformContext()
        image = MedicalImage(values, ShapeFormat("CDHW"))
        image.set_property("affine", "kept")
        context.set_image("image", image)
        result = transform.transform(context).get_image("image")
        data = result.get_data()
        assert result.get_shape_format() == ShapeFormat("CDHW")
        assert data.dtype == np.float32
        middle = values.ravel()[30]
        gammas.append(np.log(data.ravel()[30]) / np.log(middle))
        np.testing.assert_allclose(data, np.clip(values, 0, 1).astype(float) ** gammas[-1], atol=1e-5)
    logarithms = np.log(gammas) / np.log(2)
    assert logarithms.min() == pytest.approx(-1, abs=0.02)
    assert logarithms.max() == pytest.approx(1, abs=0.02)
    assert logarithms.mean() == pytest.approx(0, abs=4 / np.sqrt(3 * 2000))
    assert logarithms.var() == pytest.approx(1 / 3, rel=0.1)
    assert result.get_property("affine") == "kept"


def test_the_custom_transform_refuses_a_gamma_below_one(custom: ModuleType) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        custom.RandomGamma("image", max_gamma=0.5)


def test_the_tensorflow_code_runs_as_it_is(tmp_path: Path) -> None:
    folder = demo_mmar_folder("demo_tensorflow")
    report = lint([folder / "custom"])
    assert report.passes
    assert not [finding for finding in report.findings if finding.status != "runs"]
    data_list = make_scans(tmp_path, training=1, validation=1, testing=0)
    found = check(
        folder / "config/config_train.json",
        overrides={
            "DATA_ROOT": str(tmp_path), "DATASET_JSON": str(data_list), "MMAR_CKPT_DIR": str(tmp_path / "models"),
        },
    )  # fmt: skip
    assert found.passed, found.errors
    assert not found.limits
