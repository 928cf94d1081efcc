"""Every training config that is here: its bundle takes the same steps as ``train``."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from clara_compat import migrate, train
from clara_compat.demo.lesion_images import make_pictures, make_volumes
from clara_compat.demo.mmar import prepare_mmar
from clara_compat.demo.scans import make_scans
from clara_compat.errors import ClaraError

TESTS = Path(__file__).parents[1]
DEMOS: dict[str, tuple[Callable[..., Path], dict[str, int]]] = {
    "demo_mmar": (make_scans, {"training": 4, "validation": 1, "testing": 1}),
    "demo_tensorflow": (make_scans, {"training": 4, "validation": 1, "testing": 1}),
    "demo_classification_2d": (make_pictures, {"training": 48, "validation": 16, "testing": 8}),
    "demo_classification_3d": (make_volumes, {"training": 12, "validation": 6, "testing": 3}),
}
SEEDS = {"determinism": {"numpy_seed": 3, "tf_seed": 4, "random_seed": 5}, "train_summary_recording_interval": 1}


def step_losses(folder: Path) -> list[float]:
    """The loss of every step, from the TensorBoard events of a run."""
    events = EventAccumulator(str(folder))
    events.Reload()
    return [event.value for event in events.Scalars("train_loss")]


def assert_same_run(first: Path, second: Path, steps: int = 5) -> None:
    """Whether two output folders are of the same run, bit for bit."""
    losses = [step_losses(folder) for folder in (first, second)]
    assert len(losses[0]) >= steps
    assert losses[0] == losses[1]
    stats = [json.loads((folder / "train_stats.json").read_text())["epochs"] for folder in (first, second)]
    measured = [[(epoch["loss"], epoch.get("metrics")) for epoch in epochs] for epochs in stats]
    assert measured[0] == measured[1]
    weights = [torch.load(folder / "final_model.pt") for folder in (first, second)]
    assert all(torch.equal(weights[1][name], value) for name, value in weights[0].items())


@pytest.fixture(params=DEMOS)
def demo(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    """An MMAR of the project with a little data, and what makes its training five steps or a little more."""
    make, counts = DEMOS[request.param]
    mmar = prepare_mmar(tmp_path / "mmar", request.param)
    data = make(mmar / "data", **counts)
    pipeline = json.loads((mmar / "config/config_train.json").read_text())["train"]["image_pipeline"]["args"]
    steps = counts["training"] // pipeline["output_batch_size"]
    given = {"DATA_ROOT": str(data.parent), "DATASET_JSON": str(data), "epochs": -(-5 // steps)}
    return mmar, {**given, "train_summary_recording_interval": 1}


@pytest.mark.slow
def test_the_projects_configs(
    demo: tuple[Path, dict[str, Any]], tmp_path: Path, run_bundle: Any, verify_metadata: Any
) -> None:
    mmar, given = demo
    train(mmar, overrides=given)
    bundle = migrate(tmp_path / "bundle", mmar, overrides=given).folder
    verify_metadata(bundle)
    run_bundle(bundle, "train")
    assert_same_run(mmar / "models", bundle / "models")
    run_bundle(bundle, "evaluate")
    assert json.loads((bundle / "eval/evaluate_stats.json").read_text())["metrics"]

    native = migrate(tmp_path / "native", mmar, overrides=given, native=True).folder
    verify_metadata(native)
    run_bundle(native, "train", plain=True)
    assert all(map(math.isfinite, step_losses(native / "models")))
    run_bundle(native, "evaluate", plain=True)
    assert list((native / "eval").glob("*.csv"))


PUBLISHED = [
    *(f"GettingStarted/config/{name}.json" for name in ("trn_base", "trn_base_AMP")),
    *(f"GettingStarted/config/trn_BYOC_{name}.json" for name in ("Arch_loss", "DataLoader", "transform")),
    *(f"AutoML/config/trn_autoML_{name}.json" for name in ("AMP", "Enum", "LR_LP", "Loss_Optimizer", "Transform")),
    "AutoML/config/trn_autoML_TransformProb.json",
    *(f"FL/{name}/config/config_train.json" for name in ("adminMMAR", "adminMMARNoCustom")),
    *(f"Performance/config/trn_{name}.json" for name in ("base", "cache", "BT", "BT_cache", "BT_cache_TrnV2")),
    *(f"Performance/config/trn_{name}.json" for name in ("BT_cache_amp", "BT_cache_ampBsX2", "novograd")),
    *(f"Performance/config/trn_{name}.json" for name in ("novograd_amp", "novograd_4gpu", "novograd_amp_4gpu")),
    *(f"Performance/config/trn_Keras_{name}.json" for name in ("BT_cache", "novograd_4gpu")),
    *(f"Performance/configDemo/trn1_{name}.json" for name in ("base", "cache", "BT", "BT_cache", "BT_cache_TrnV2")),
    *(f"Performance/configDemo/trn1_{name}.json" for name in ("BT_deformTrans", "AMP")),
]
"""The published training configs."""
BROKEN = "Performance/configDemo/trn1_AMP.json"


@pytest.fixture(scope="session")
def little_scans(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Scans as the published configs expect them, of a few thousand voxels, as NIfTI and numpy files."""
    folder = tmp_path_factory.mktemp("little")
    shape = (40, 36, 24)
    grid = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"))
    items, arrays = [], []
    for number in range(11):
        generator = np.random.default_rng(number)
        centre = np.array(shape) / 2 + generator.uniform(-3, 3, 3)
        label = (((grid - centre[:, None, None, None]) ** 2).sum(0) < 49).astype(np.uint8)
        image = (generator.normal(20, 25, shape) + 90 * label).astype(np.int16)
        for field, values in (("image", image), ("label", label)):
            nibabel.save(nibabel.Nifti1Image(values, np.diag([1.1, 1.1, 1.6, 1])), folder / f"{field}{number}.nii.gz")
            np.save(folder / f"{field}{number}.npy", np.kron(values, np.ones((1, 1, 2))))
        items.append({field: f"{field}{number}.nii.gz" for field in ("image", "label")})
        arrays.append({field: f"{field}{number}.npy" for field in ("image", "label")})
    for name, found in (("dataset", items), ("arrays", arrays)):
        (folder / f"{name}.json").write_text(json.dumps({"training": found[:10], "validation": found[10:]}))
    return {"DATA_ROOT": str(folder), "DATASET_JSON": str(folder / "dataset.json")}


def smaller(config: Mapping[str, Any]) -> dict[str, Any]:
    """What makes a published config small: crops of 32 voxels, a few filters, one epoch of five steps."""
    training = config["train"]
    model = training["model"][0] if isinstance(training["model"], list) else training["model"]
    found: dict[str, Any] = {"epochs": 1, "num_training_epoch_per_valid": 1, **SEEDS}
    pipeline = training["image_pipeline"]["args"]
    found["train.image_pipeline.args.output_crop_size"] = [32, 32, 32]
    found["train.image_pipeline.args.output_batch_size"] = 2
    found["train.image_pipeline.args.num_workers"] = 0
    if "num_cache_objects" in pipeline:
        found["train.image_pipeline.args.num_cache_objects"] = 10
        found["train.image_pipeline.args.replace_percent"] = 0
    for index, transform in enumerate(training["pre_transforms"]):
        if "size" in transform.get("args", {}):
            found[f"train.pre_transforms[{index}].args.size"] = [32, 32, 32]
        if "batch_size" in transform.get("args", {}):
            found[f"train.pre_transforms[{index}].args.batch_size"] = 2
    if model.get("name") == "Unet":
        found |= {"train.model.args.nf_enc": "8,8,8,8", "train.model.args.nf_dec": "8,8,8,8,8,8,8"}
    if "roi_size" in config["validate"]["inferer"].get("args", {}):
        found["validate.inferer.args.roi_size"] = [32, 32, 32]
    return found


@pytest.fixture
def published(
    request: pytest.FixtureRequest, clara_examples: Path, little_scans: dict[str, str], tmp_path: Path
) -> tuple[Path, Path, dict[str, Any]]:
    """A published config in a copy of its MMAR with the user code it names, and what makes it small."""
    file = clara_examples / request.param
    mmar = tmp_path / "mmar"
    shutil.copytree(file.parents[1] / file.parent.name, mmar / "config")
    shutil.copytree(TESTS / "byoc", mmar / "custom")
    components = TESTS / "tensorflow/components"
    shutil.copy(components / "cloned_dice.py", mmar / "custom/myLoss.py")
    shutil.copy(components / "custom_network.py", mmar / "custom/myNetworkArch.py")
    network = (components / "custom_network.py").read_text().replace("class CustomNetwork(", "class SegResnet(")
    network = network.replace("factor=32, training", "factor=32, reg_weight=0, dropout_prob=0, training")
    (mmar / "custom/CustomArch.py").write_text(
        network.replace("final_activation='linear'):", "final_activation='linear', **more):")
    )
    config = mmar / "config" / file.name
    if "BYOC_transform" in file.name:  # broken as published
        config.write_text(config.read_text().replace('"a_offset": 200', '"a_max": 164'))
    given: dict[str, Any] = dict(little_scans)
    if request.param != BROKEN:
        given |= smaller(json.loads(config.read_text()))
    if "Arch_loss" in file.name:
        given["train.model.args.factor"] = 4
    if "DataLoader" in file.name:
        given["DATASET_JSON"] = given["DATASET_JSON"].replace("dataset.json", "arrays.json")
    return mmar, config, given


@pytest.mark.slow
@pytest.mark.real
@pytest.mark.parametrize("published", PUBLISHED, indirect=True)
def test_the_published_configs(
    published: tuple[Path, Path, dict[str, Any]], tmp_path: Path, run_bundle: Any, verify_metadata: Any
) -> None:
    mmar, config, given = published
    if config.name == Path(BROKEN).name:
        with pytest.raises(ClaraError, match=r"trn1_AMP.json:7: not valid JSON at line 7, column 14: .*mean true\?"):
            migrate(tmp_path / "bundle", mmar, [config], overrides=given)
        return
    train(mmar, config, overrides=given)
    bundle = migrate(tmp_path / "bundle", mmar, [config], overrides=given).folder
    verify_metadata(bundle)
    run_bundle(bundle, "train")
    assert_same_run(mmar / "models", bundle / "models")

    native = migrate(tmp_path / "native", mmar, [config], overrides=given, native=True).folder
    verify_metadata(native)
    run_bundle(native, "train", plain=True)
    assert all(map(math.isfinite, step_losses(native / "models")))
    assert (native / "models/model.pt").is_file()


def test_all_published_configs_are_here(clara_examples: Path) -> None:
    names = ("*/config*/trn*.json", "FL/*/config/config_train.json")
    found = sorted(str(file.relative_to(clara_examples)) for name in names for file in clara_examples.glob(name))
    assert found == sorted(PUBLISHED)
