"""The published GettingStarted configs on the real CT scan: checked whole, trained with a smaller network."""

from __future__ import annotations

import json
import math
import shutil
import sys
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import torch

from clara_compat import check, evaluate, export, infer, train
from clara_compat.engine.transforms.load_nifti import LoadNiftid
from clara_compat.engine.transforms.resize_to_spacing import ResizeToSpacingd

pytestmark = pytest.mark.real

BYOC = Path(__file__).parents[1] / "byoc"
TENSORFLOW = Path(__file__).parents[1] / "tensorflow" / "components"
SMALLER = {
    "epochs": 1,
    "train.model.args.nf_enc": "4,8,8,8",
    "train.model.args.nf_dec": "8,8,8,8,8,4,4",
    "train.image_pipeline.args.num_workers": 2,
}


@pytest.fixture(scope="session")
def getting_started(clara_examples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published MMAR with components written for it, and the user code its TensorFlow config names."""
    mmar = tmp_path_factory.mktemp("GettingStarted")
    shutil.copytree(clara_examples / "GettingStarted/config", mmar / "config")
    shutil.copytree(BYOC, mmar / "custom")
    shutil.copy(TENSORFLOW / "cloned_dice.py", mmar / "custom/myLoss.py")
    shutil.copy(TENSORFLOW / "custom_network.py", mmar / "custom/myNetworkArch.py")
    return mmar


@pytest.fixture(scope="session")
def published_data(clara_examples: Path) -> dict[str, str]:
    data = clara_examples / "sampleData"
    return {"DATA_ROOT": str(data), "DATASET_JSON": str(data / "dataset_FLclient.json")}


@pytest.fixture(scope="session")
def numpy_data(clara_examples: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The scan at 1 mm as .npy files, which trn_BYOC_DataLoader.json crops without resampling."""
    folder = tmp_path_factory.mktemp("npy")
    data = clara_examples / "sampleData"
    item = LoadNiftid(["image", "label"])(
        {"image": str(data / "imagesTr/spleen_8.nii.gz"), "label": str(data / "labelsTr/spleen_8.nii.gz")}
    )
    for field, mode in (("image", "linear"), ("label", "nearest-exact")):
        np.save(folder / f"{field}.npy", ResizeToSpacingd(field, [1.0, 1.0, 1.0], mode)(item)[field].numpy()[0])
    entry = {"image": "image.npy", "label": "label.npy"}
    (folder / "dataset.json").write_text(json.dumps({"training": [entry] * 8, "validation": [entry]}))
    return {"DATA_ROOT": str(folder), "DATASET_JSON": str(folder / "dataset.json")}


@pytest.mark.parametrize(
    "name", ["trn_base.json", "trn_base_AMP.json", "trn_BYOC_DataLoader.json", "trn_BYOC_Arch_loss.json"]
)
def test_check_passes(getting_started: Path, published_data: dict[str, str], name: str) -> None:
    report = check(getting_started / "config" / name, overrides=published_data)
    assert report.passed, report.errors
    assert not report.limits
    assert all(row.becomes and row.fidelity for row in report.rows)


USER_NETWORK = (
    "from ai4med.components.models.model import Model\n\n\n"
    "class SegResnet(Model):\n"
    "    def __init__(self, num_classes, **args):\n"
    "        Model.__init__(self)\n"
)


def _training_configs(folder: Path) -> list[Path]:
    names = ("Performance/*/trn*.json", "AutoML/config/trn*.json", "FL/*/config/config_train.json")
    return sorted(file for name in names for file in folder.glob(name))


def test_every_published_training_config_passes(
    clara_examples: Path, published_data: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`search` is ignored; what does not run yet (of the model side) is a limit, no error."""
    (tmp_path / "CustomArch.py").write_text(USER_NETWORK)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    files = _training_configs(clara_examples)
    assert len(files) == 28
    for file in files:
        report = check(file, overrides={**published_data, "MMAR_CKPT_DIR": str(tmp_path / "models")})
        if file.name == "trn1_AMP.json":
            [error] = report.errors
            assert "trn1_AMP.json:7: not valid JSON at line 7, column 14: " in str(error)
            assert "did you mean true?" in str(error)
            continue
        assert report.passed, (file, report.errors)
        assert all(row.becomes != "nothing yet" or "pre_transforms" not in row.place for row in report.rows)
        assert not any(
            "pipeline" in limit.address.path or "transforms" in limit.address.path for limit in report.limits
        )


DEMOS = {
    "trn1_base": (8, 4),
    "trn1_BT": (32, 4),
    "trn1_cache": (8, 4),
    "trn1_BT_cache": (16, 4),
    "trn1_BT_cache_TrnV2": (32, 4),
    "trn1_BT_deformTrans": (32, 1),
}
"""Steps per epoch and images per step of the published Performance demos, with their 32 training entries."""


@pytest.fixture(scope="session")
def repeated_data(clara_examples: Path) -> dict[str, str]:
    """The list of the Performance notebook: one scan 32 times."""
    data = clara_examples / "sampleData"
    return {"DATA_ROOT": str(data), "DATASET_JSON": str(data / "dataset_28GB.json")}


@pytest.mark.parametrize("name", DEMOS)
def test_steps_of_the_performance_demos(clara_examples: Path, repeated_data: dict[str, str], name: str) -> None:
    """At their published sizes; the 32 entries of one scan are held once."""
    report = check(clara_examples / f"Performance/configDemo/{name}.json", overrides=repeated_data)
    [train, *_] = report.data
    assert (train.steps, train.items_per_step * train.crops) == DEMOS[name]
    assert (train.items, train.scans, train.cached_scans) == (32, 1, 1)
    assert train.cached_bytes == 2 * 4 * 402 * 402 * 240


@pytest.mark.slow
@pytest.mark.parametrize("name", DEMOS)
def test_performance_demos_train(
    clara_examples: Path, repeated_data: dict[str, str], tmp_path: Path, name: str
) -> None:
    """One epoch of each with smaller crops and a smaller network, and without the validation of whole scans."""
    file = clara_examples / f"Performance/configDemo/{name}.json"
    crop = next(
        i for i, one in enumerate(json.loads(file.read_text())["train"]["pre_transforms"]) if "Crop" in one["name"]
    )
    smaller = {
        **SMALLER,
        f"train.pre_transforms[{crop}].args.size": [32, 32, 32],
        "train.image_pipeline.args.output_crop_size": [32, 32, 32],
        "validate_at_end": False,
        "MMAR_CKPT_DIR": str(tmp_path / "models"),
    }
    result = train(clara_examples / "Performance", file, overrides={**repeated_data, **smaller})
    [epoch] = result.stats["epochs"]
    assert math.isfinite(epoch["loss"])
    assert result.stats["steps"] == DEMOS[name][0]
    cache = result.parser.get_parsed_content("train#cache")
    assert len(cache.held) == 1


def test_the_config_that_is_broken_as_published_is_explained(
    getting_started: Path, published_data: dict[str, str]
) -> None:
    report = check(getting_started / "config/trn_BYOC_transform.json", overrides=published_data)
    unknown, missing = (str(error).partition("config/")[2] for error in report.errors)
    place = "trn_BYOC_transform.json:{} train.pre_transforms[4].args.{}: ScaleIntensityRange "
    assert unknown == place.format(62, "a_offset") + "has no argument 'a_offset'; did you mean 'a_max'?"
    assert missing == place.format(59, "a_max") + "needs the argument 'a_max', a number"


def _trained(mmar: Path, name: str, overrides: dict[str, Any]) -> dict[str, Any]:
    result = train(mmar, f"config/{name}", overrides={**SMALLER, "MMAR_CKPT_DIR": f"models/{name}", **overrides})
    [epoch] = result.stats["epochs"]
    assert math.isfinite(epoch["loss"])
    assert 0 <= epoch["metrics"]["mean_dice"] <= 1
    assert result.paths["model"].exists()
    return result.stats


@pytest.mark.slow
def test_trn_base_trains(getting_started: Path, published_data: dict[str, str]) -> None:
    stats = _trained(getting_started, "trn_base.json", published_data)
    assert (stats["steps"], stats["key_metric"]) == (2, "mean_dice")
    assert stats["epochs"][0]["metrics"]["negloss"] < 0


@pytest.mark.slow
def test_trn_byoc_dataloader_trains(getting_started: Path, numpy_data: dict[str, str]) -> None:
    _trained(getting_started, "trn_BYOC_DataLoader.json", numpy_data)
    patches = sorted((getting_started / "models/trn_BYOC_DataLoader.json/debug").iterdir())
    assert len(patches) == 16  # image and label of 8 items


@pytest.mark.slow
def test_trn_byoc_transform_trains_once_mended(getting_started: Path, published_data: dict[str, str]) -> None:
    config = getting_started / "config/mended.json"
    broken = (getting_started / "config/trn_BYOC_transform.json").read_text()
    config.write_text(broken.replace('"a_offset": 200', '"a_max": 164'))
    _trained(getting_started, "mended.json", published_data)


@pytest.mark.slow
def test_trn_byoc_arch_loss_trains_evaluates_and_trains_on(
    getting_started: Path, clara_examples: Path, published_data: dict[str, str]
) -> None:
    """A network and a loss in TensorFlow 1; only the number of filters and of epochs is smaller than published."""
    smaller = {"epochs": 1, "train.model.args.factor": 4, "train.image_pipeline.args.num_workers": 2, **published_data}
    first, second = "models/arch_loss", "models/arch_loss_finetuned"
    result = train(getting_started, "config/trn_BYOC_Arch_loss.json", overrides={**smaller, "MMAR_CKPT_DIR": first})
    [epoch] = result.stats["epochs"]
    assert 0 < epoch["loss"] < 2  # of linear predictions, from weights that are drawn: 2ab is between -(a² + b²) and it
    assert list(result.network.variables)[:2] == ["CustomNetwork/conv3d/kernel", "CustomNetwork/conv3d/bias"]
    assert not [name for name in sys.modules if name.partition(".")[0] in ("tensorflow", "keras")]

    evaluated = evaluate(
        getting_started,
        "config/config_validation_chpt.json",
        overrides={
            **published_data,
            "MMAR_CKPT_DIR": first,
            "MMAR_EVAL_OUTPUT_PATH": "eval_arch",
            "do_validation": True,
        },
    )
    assert 0 <= evaluated.metrics["mean_dice_class1"] <= 1

    weights = {"MMAR_CKPT": f"{first}/model.pt", "MMAR_CKPT_DIR": second, "learning_rate": 1e-12}
    tuned = train(getting_started, "config/trn_BYOC_Arch_loss.json", overrides={**smaller, **weights})
    for name, value in result.network.variables.items():
        torch.testing.assert_close(tuned.network.variables[name], value, atol=1e-6, rtol=0)


@pytest.fixture(scope="module")
def trained_mmar(getting_started: Path, published_data: dict[str, str]) -> Path:
    train(getting_started, "config/trn_base.json", overrides={**SMALLER, **published_data})
    return getting_started


@pytest.mark.slow
@pytest.mark.parametrize("name", ["config_validation_chpt.json", "config_validation.json"])
def test_published_evaluations_run(
    trained_mmar: Path, clara_examples: Path, published_data: dict[str, str], name: str
) -> None:
    """With the weights, and with the network exported beside the frozen graph that the config names: Dice, NIfTI."""
    if name == "config_validation.json":
        export(trained_mmar / "models", onnx=False)
    folder = {"MMAR_EVAL_OUTPUT_PATH": f"eval_{name}"}
    result = evaluate(trained_mmar, f"config/{name}", overrides={**published_data, **folder, "do_validation": True})
    assert Path(result.stats["model"]).name == ("model.ts" if name == "config_validation.json" else "model.pt")
    scan = nibabel.load(clara_examples / "sampleData/imagesTr/spleen_8.nii.gz")
    results = trained_mmar / f"eval_{name}"
    masks = {
        field: nibabel.load(results / f"spleen_8/spleen_8_{field}.nii.gz")
        for field in ("model", "pred_class0", "pred_class1", "pred_class2")
    }
    for mask in masks.values():
        np.testing.assert_allclose(mask.header.get_zooms(), 1.0, atol=0.005)
        corners = [_corners(image) for image in (mask, scan)]
        np.testing.assert_allclose(corners[0], corners[1], atol=1e-2)
    true = ResizeToSpacingd("label", [1.0, 1.0, 1.0], "nearest-exact")(
        LoadNiftid(["label"])({"label": str(clara_examples / "sampleData/labelsTr/spleen_8.nii.gz")})
    )["label"][0].numpy()
    predicted = np.asarray(masks["pred_class1"].dataobj)
    dice = 2 * np.logical_and(predicted == 1, true == 1).sum() / (predicted.sum() + (true == 1).sum())
    assert result.metrics["mean_dice_class1"] == pytest.approx(dice, abs=1e-9)
    assert (results / "mean_dice_class1_raw_results.txt").is_file()
    assert (results / "mean_dice_class2_summary_results.txt").is_file()


def _corners(image: nibabel.Nifti1Image) -> list[np.ndarray]:
    """Return where the outer corners of the first and the last voxel are, RAS mm."""
    ends = (np.full(3, -0.5), np.array(image.shape) - 0.5)
    return [image.affine[:3, :3] @ end + image.affine[:3, 3] for end in ends]


@pytest.mark.slow
def test_the_scan_is_segmented_in_its_own_grid(trained_mmar: Path, clara_examples: Path, tmp_path: Path) -> None:
    image = clara_examples / "sampleData/imagesTr/spleen_8.nii.gz"
    infer(image, trained_mmar / "config/config_validation_chpt.json", tmp_path)
    mask, scan = nibabel.load(tmp_path / "spleen_8/spleen_8_model.nii.gz"), nibabel.load(image)
    assert mask.shape == scan.shape
    np.testing.assert_allclose(mask.affine, scan.affine, atol=1e-5)


def test_every_published_evaluation_config_passes(
    clara_examples: Path, published_data: dict[str, str], tmp_path: Path
) -> None:
    files = sorted(clara_examples.glob("*/config/config_validation*.json"))
    files += sorted(clara_examples.glob("FL/*/config/config_validation*.json"))
    assert len(files) == 4
    for file in files:
        report = check(file, overrides={**published_data, "MMAR_EVAL_OUTPUT_PATH": str(tmp_path)}, data=False)
        assert report.passed, (file, report.errors)
        assert not report.limits
        assert all(row.becomes != "nothing yet" for row in report.rows)
