"""The MMARs that come with the project train and evaluate natively, on data of a few voxels."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from PIL import Image

from clara_compat.config.evaluate_workflow import load_evaluate_workflow
from clara_compat.config.workflow import load_train_workflow
from clara_compat.run.seeds import seeds_of
from clara_compat.translate.evaluate import translate_evaluate
from clara_compat.translate.evaluation_model import find_model
from clara_compat.translate.native.evaluate import native_evaluate
from clara_compat.translate.native.native_config import NativeConfig, is_ours
from clara_compat.translate.native.train import native_train
from clara_compat.translate.train import translate_train

Run = Callable[[dict[str, Any]], dict[str, Any]]

CONFIGS = Path(__file__).resolve().parents[4] / "configs"
DEMOS = ("demo_mmar", "demo_tensorflow", "demo_classification_2d", "demo_classification_3d")


def shrunk(value: Any) -> Any:
    """Return a config with small crops and windows, and with the scans' own voxels."""
    if isinstance(value, dict):
        found = {name: shrunk(one) for name, one in value.items()}
        if "target_resolution" in found:
            found["target_resolution"] = [1.0, 1.0, 1.5]
        return found
    if value == [48, 48, 32]:
        return [16, 16, 16]
    return [shrunk(one) for one in value] if isinstance(value, list) else value


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with pictures of two binary labels and scans of one of three classes, and a data list of each."""
    folder, generator = tmp_path_factory.mktemp("pictures"), np.random.default_rng(2)
    lists: dict[str, list[dict[str, Any]]] = {"2d": [], "3d": []}
    for number in range(6):
        grey = generator.integers(0, 255, (70, 66), dtype=np.uint8)
        Image.fromarray(grey).save(folder / f"picture{number}.png")
        lists["2d"].append({"image": f"picture{number}.png", "label": [number % 2, number // 2 % 2]})
        scan = generator.normal(-300, 100, (33, 32, 32)).astype(np.int16)
        nibabel.save(nibabel.Nifti1Image(scan, np.eye(4)), folder / f"scan{number}.nii.gz")
        lists["3d"].append({"image": f"scan{number}.nii.gz", "label": number % 3})
    for kind, items in lists.items():
        (folder / f"{kind}.json").write_text(json.dumps(dict.fromkeys(("training", "validation", "testing"), items)))
    return folder


@pytest.fixture
def exact_demo(tmp_path: Path, small_scans: Path, pictures: Path) -> Callable[[str], tuple[Path, dict[str, str]]]:
    """Return a copy of an MMAR with small crops, and the variables that name its data."""

    def make(name: str) -> tuple[Path, dict[str, str]]:
        mmar = tmp_path / name
        shutil.copytree(CONFIGS / name, mmar)
        for file in mmar.glob("config/config_*.json"):
            file.write_text(json.dumps(shrunk(json.loads(file.read_text()))))
        kind = name[-2:]
        folder, listed = (pictures, f"{kind}.json") if "classification" in name else (small_scans, "dataset.json")
        return mmar, {"DATA_ROOT": str(folder), "DATASET_JSON": str(folder / listed)}

    return make


def checked(native: NativeConfig) -> NativeConfig:
    entries = {name: value for name, value in native.config.items() if not isinstance(value, str)}
    assert not is_ours(entries)
    return native


@pytest.mark.parametrize("name", DEMOS)
def test_trains_and_evaluates(
    exact_demo: Callable[[str], tuple[Path, dict[str, str]]], run_native: Run, name: str
) -> None:
    """The evaluation takes the weights that the native training left."""
    mmar, data = exact_demo(name)
    workflow = load_train_workflow(mmar / "config/config_train.json", overrides=data)
    exact = translate_train(workflow, seeds_of(workflow.settings.determinism), mmar / "models").config
    native = checked(native_train(exact))
    result = run_native({**native.config, "epochs": 2, "val_interval": 1, "device": "cpu"})
    assert math.isfinite(result["loss"])
    key = next(iter(native.config["validate"]["key_metric"]))
    assert 0.0 <= result["metrics"][key] <= 1.0

    evaluation = load_evaluate_workflow(
        mmar / "config/config_validation.json", overrides={**data, "do_validation": True}
    )
    found = translate_evaluate(evaluation, find_model(evaluation), mmar / "eval").config
    config = checked(native_evaluate({**found, "ckpt_dir": str(mmar / "models")})).config
    measured = run_native({**config, "device": "cpu"})["metrics"]
    assert measured
    assert all(0.0 <= value <= 1.0 or math.isnan(value) for value in measured.values())


def test_what_the_tensorflow_demo_leaves_to_its_user(
    exact_demo: Callable[[str], tuple[Path, dict[str, str]]],
) -> None:
    mmar, data = exact_demo("demo_tensorflow")
    workflow = load_train_workflow(mmar / "config/config_train.json", overrides=data)
    exact = translate_train(workflow, seeds_of(workflow.settings.determinism), mmar / "models").config
    differences = {one.entry: one for one in native_train(exact).differences}
    assert differences["network_def"].was == "myNetworkArch.SmallUNet"
    assert differences["network_def"].now == "monai.networks.nets.UNet"
    assert differences["network_def"].text.startswith("A stand-in that must be ported: myNetworkArch.SmallUNet needs")
    assert differences["loss_def"].text.startswith("A stand-in that must be ported: myLoss.DiceAndCrossEntropy needs")
