"""A migrated bundle: what is in it, and that it is the run it was made from."""

from __future__ import annotations

import copy
import errno
import json
import re
import shutil
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import torch
from monai.bundle import ConfigWorkflow

from clara_compat import evaluate, infer, migrate, train
from clara_compat.errors import ClaraError

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / "configs"
PLACES = {"bundle_root", "ckpt_dir", "output_dir", "DATA_ROOT", "DATASET_JSON", "user_code", "dataset_dir", "images"}


def elsewhere(config: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in config.items() if name not in PLACES}


def five_steps(config: dict[str, Any]) -> None:
    config["epochs"] = 3
    config["determinism"] = {"numpy_seed": 3, "tf_seed": 4, "random_seed": 5}


@pytest.fixture
def trained(small_mmar: Callable[..., Path]) -> Path:
    mmar = small_mmar(five_steps)
    train(mmar)
    return mmar


def test_a_bundle_is_the_run_it_was_made_from(trained: Path, tmp_path: Path, run_bundle: Any) -> None:
    result = migrate(tmp_path / "bundle", trained)
    bundle = result.folder
    ran = json.loads((trained / "models/configs/train.json").read_text())
    written = json.loads((bundle / "configs/train.json").read_text())
    assert elsewhere(written) == elsewhere(ran)
    assert [name for name in ran if name in PLACES] == [name for name in written if name in PLACES]
    run_bundle(bundle, "train")
    theirs = json.loads((trained / "models/train_stats.json").read_text())
    ours = json.loads((bundle / "models/train_stats.json").read_text())
    assert len(ours["epochs"]) == 3
    assert [epoch["loss"] for epoch in ours["epochs"]] == [epoch["loss"] for epoch in theirs["epochs"]]
    assert [epoch["metrics"] for epoch in ours["epochs"]] == [epoch["metrics"] for epoch in theirs["epochs"]]
    weights = [torch.load(folder / "final_model.pt") for folder in (trained / "models", bundle / "models")]
    assert weights[0].keys() == weights[1].keys()
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    metadata = json.loads((bundle / "configs/metadata.json").read_text())
    assert metadata["eval_metrics"] == {"mean_dice": theirs["best_value"]}
    kept = bundle / "models/previous_1/model.pt"  # the weights that came along
    assert kept.read_bytes() == (trained / "models/model.pt").read_bytes()


EVALUATION = {
    "DATA_LIST_KEY": "training",
    "inferer": {"name": "TFScanWindowInferer", "args": {"roi_size": [16, 16, 16]}},
    "model_loader": {"name": "CheckpointLoader", "args": {"checkpoint_dir": "{MMAR_CKPT_DIR}"}},
    "pre_transforms": [
        {"name": "LoadNifti", "args": {"fields": ["image"]}},
        {"name": "ConvertToChannelsFirst", "args": {"fields": ["image"]}},
        {
            "name": "ScaleIntensityRange",
            "args": {"fields": "image", "a_min": -50, "a_max": 150, "b_min": 0, "b_max": 1, "clip": True},
        },
    ],
    "post_transforms": [{"name": "ArgmaxAcrossChannels", "args": {"fields": "model"}}],
    "label_transforms": [
        {"name": "LoadNifti", "args": {"fields": ["label"]}},
        {"name": "ConvertToChannelsFirst", "args": {"fields": ["label"]}},
    ],
    "val_metrics": [
        {
            "name": "ComputeAverageDice",
            "args": {
                "name": "dice",
                "field": "model",
                "label_field": "label",
                "is_one_hot_targets": True,
                "remove_bg": False,
                "report_path": "{MMAR_EVAL_OUTPUT_PATH}",
            },
        }
    ],
    "writers": [{"name": "WriteNifti", "args": {"field": "model", "write_path": "{MMAR_EVAL_OUTPUT_PATH}"}}],
}


def test_evaluation_and_inference_give_what_they_gave(
    trained: Path, small_scans: Path, tmp_path: Path, run_bundle: Any
) -> None:
    (trained / "config/config_validation.json").write_text(json.dumps(EVALUATION))
    result = migrate(tmp_path / "bundle", trained)
    bundle = result.folder
    assert set(result.configs) == {"train", "evaluate", "inference"}
    assert (bundle / "models/model.pt").read_bytes() == (trained / "models/model.pt").read_bytes()

    there = evaluate(trained, overrides={"do_validation": True})
    run_bundle(bundle, "evaluate")
    here = json.loads((bundle / "eval/evaluate_stats.json").read_text())
    assert {case["name"]: case["metrics"] for case in here["cases"]} == there.cases
    assert len(there.cases) == 4
    assert elsewhere(json.loads(there.paths["bundle"].read_text())) == elsewhere(
        json.loads((bundle / "configs/evaluate.json").read_text())
    )

    (bundle / "input").mkdir()
    image = bundle / "input/case0_image.nii.gz"
    shutil.copy(small_scans / image.name, image)
    run_bundle(bundle, "inference")
    [mask] = infer(image, trained / "config/config_validation.json", tmp_path / "there").files[str(image)]
    [written] = (bundle / "predictions").rglob("*.nii.gz")
    assert np.array_equal(nibabel.load(written).get_fdata(), nibabel.load(mask).get_fdata())
    assert np.array_equal(nibabel.load(written).affine, nibabel.load(image).affine)


def test_without_a_config_for_evaluation_the_trainings_own_validation_is_it(
    trained: Path, tmp_path: Path, run_bundle: Any
) -> None:
    result = migrate(tmp_path / "bundle", trained, ["config/config_train.json"])
    assert set(result.configs) == {"train", "evaluate", "inference"}
    stats = json.loads((trained / "models/train_stats.json").read_text())
    done = run_bundle(result.folder, "evaluate")
    best = max(stats["epochs"], key=lambda epoch: epoch["metrics"]["mean_dice"])
    assert f"mean_dice: {best['metrics']['mean_dice']:.4f}" in done.stdout
    (result.folder / "input").mkdir()
    shutil.copy(Path(result.configs["train"]["DATA_ROOT"]) / "case4_image.nii.gz", result.folder / "input")
    run_bundle(result.folder, "inference")
    cases = [folder / "validation_cases.json" for folder in (trained / "models", result.folder / "models")]
    assert cases[0].exists()
    assert not cases[1].exists()  # those of a best validation are a training's
    [written] = (result.folder / "predictions").rglob("*.nii.gz")
    assert set(np.unique(nibabel.load(written).get_fdata())) <= {0, 1}


def test_a_training_that_measures_nothing_has_nothing_to_evaluate(
    small_mmar: Callable[..., Path], tmp_path: Path
) -> None:
    mmar = small_mmar(lambda config: config["validate"].update(metrics=[]))
    result = migrate(tmp_path / "bundle", mmar)
    assert set(result.configs) == {"train", "inference"}
    assert result.configs["inference"]["network"]["file"] == "$@ckpt_dir + '/final_model.pt'"


NETWORK = """
import torch


class Net(torch.nn.Module):
    def __init__(self, num_classes):
        super().__init__()
        self.layer = torch.nn.Conv3d(1, num_classes, 1)

    def forward(self, image):
        return torch.softmax(self.layer(image), 1)
"""


def test_an_evaluation_alone_brings_the_users_network(
    small_mmar: Callable[..., Path], tmp_path: Path, run_bundle: Any
) -> None:
    mmar = small_mmar(lambda config: config["train"].update(model={"path": "net.Net", "args": {"num_classes": 2}}))
    (mmar / "custom").mkdir()
    (mmar / "custom/net.py").write_text(NETWORK)
    train(mmar, overrides={"epochs": 1})
    (mmar / "config/config_validation.json").write_text(json.dumps(EVALUATION))
    result = migrate(tmp_path / "bundle", mmar, ["config/config_validation.json"])
    assert set(result.configs) == {"evaluate", "inference"}
    assert (result.folder / "scripts/net.py").read_text() == NETWORK
    run_bundle(result.folder, "evaluate")
    here = json.loads((result.folder / "eval/evaluate_stats.json").read_text())
    there = evaluate(mmar, overrides={"do_validation": True})
    assert {case["name"]: case["metrics"] for case in here["cases"]} == there.cases


@pytest.mark.parametrize("native", [False, True])
def test_an_exported_network_alone(trained: Path, tmp_path: Path, verify_metadata: Any, native: bool) -> None:
    config = copy.deepcopy(EVALUATION)
    config["model_loader"] = {"name": "FrozenGraphModelLoader", "args": {"model_file_path": "exported/model.trt.pb"}}
    (trained / "config/config_validation.json").write_text(json.dumps(config))
    (trained / "exported").mkdir()
    traced = torch.jit.trace(torch.nn.Identity(), torch.rand(1, 1, 16, 16, 16))
    traced.save(str(trained / "exported/model.ts"))
    result = migrate(tmp_path / "bundle", trained, ["config/config_validation.json"], native=native)
    assert (result.folder / "models/model.ts").is_file()
    metadata = json.loads((result.folder / "configs/metadata.json").read_text())
    assert "3-D images, whose number of channels the network itself decides" in str(metadata["network_data_format"])
    verify_metadata(result.folder)


def test_what_stays_in_the_mmar_is_told(small_mmar: Callable[..., Path], tmp_path: Path) -> None:
    def change(config: dict[str, Any]) -> None:
        args = {"fields": "image", "file": "{FILE}"}
        config["train"]["pre_transforms"].append({"path": "mine.Own", "args": args})

    mmar = small_mmar(change)
    environment = json.loads((mmar / "config/environment.json").read_text())
    (tmp_path / "private").write_text("x = 'private'\n")
    for name in ("atlas.txt", "custom/secret.py", "LICENSE"):
        (mmar / name).parent.mkdir(exist_ok=True)
        (mmar / name).symlink_to(tmp_path / "private")
    environment["FILE"] = str(mmar / "atlas.txt")
    (mmar / "config/environment.json").write_text(json.dumps(environment))
    (mmar / "custom/mine.py").write_text(
        "import secret\nclass Own:\n    def __init__(self, fields, file):\n        pass\n"
        "    def transform(self, transform_ctx):\n        return transform_ctx\n"
    )
    result = migrate(tmp_path / "bundle", mmar)
    told = "\n".join(map(str, result.notices))
    assert "'atlas.txt', which a config names, stays in the MMAR: copy it into the bundle" in told
    assert "secret.py is a link that leads out of the MMAR: it stays there, copy what it leads to into scripts/" in told
    kept = [
        file for file in result.folder.rglob("*") if file.is_file() and "private" in file.read_text(errors="replace")
    ]
    assert kept == []
    assert "stays in the MMAR" in (result.folder / "docs/README.md").read_text()


def test_damaged_weights_are_no_defect(small_mmar: Callable[..., Path], tmp_path: Path) -> None:
    def change(config: dict[str, Any]) -> None:
        config["train"]["model"] = {"name": "SegAhnet", "args": {"num_classes": 2}}
        config["train"]["pre_transforms"][3]["args"]["size"] = [32, 32, 32]
        for section in ("train", "validate"):
            config[section]["image_pipeline"]["args"]["output_crop_size"] = [32, 32, 32]
        config["validate"]["inferer"]["args"]["roi_size"] = [32, 32, 32]

    mmar = small_mmar(change)
    (mmar / "models").mkdir()
    with zipfile.ZipFile(mmar / "models/model.pt", "w") as file:
        file.writestr("archive/data.pkl", b"garbage")
    with pytest.raises(ClaraError, match=r"model.pt' is damaged or no file of weights: expected one that torch.save"):
        migrate(tmp_path / "bundle", mmar, native=True)
    assert not (tmp_path / "bundle").exists()


def test_variables_are_given_on_the_command_line(
    trained: Path, small_scans: Path, tmp_path: Path, run_bundle: Any
) -> None:
    result = migrate(
        tmp_path / "bundle", trained, overrides={"DATA_ROOT": "/nowhere", "DATASET_JSON": "/nowhere/x.json"}
    )
    more = ["--epochs", "1", "--learning_rate", "0.5", "--DATA_ROOT", str(small_scans)]
    more += ["--DATASET_JSON", str(small_scans / "dataset.json"), "--ckpt_dir", str(tmp_path / "there"), "--seed", "9"]
    run_bundle(result.folder, "train", *more)
    stats = json.loads((tmp_path / "there/train_stats.json").read_text())
    assert [epoch["learning_rate"] for epoch in stats["epochs"]] == [0.5]
    assert stats["seeds"]["data"] == 9
    assert not (result.folder / "models/train_stats.json").exists()


def test_nothing_of_the_mmar_is_changed_and_none_of_its_code_is_run(
    small_mmar: Callable[..., Path], tmp_path: Path, run_bundle: Any
) -> None:
    def change(config: dict[str, Any]) -> None:
        config["train"]["pre_transforms"].append({"path": "mine.Own", "args": {"fields": "image", "file": "{FILE}"}})

    mmar = small_mmar(change)
    environment = json.loads((mmar / "config/environment.json").read_text())
    (mmar / "tables").mkdir()
    (mmar / "tables/atlas.txt").write_text("atlas")
    environment["FILE"] = str(mmar / "tables/atlas.txt")
    (mmar / "config/environment.json").write_text(json.dumps(environment))
    canary = tmp_path / "ran"
    code = (
        f"open({str(canary)!r}, 'w')\nimport helpers.more\n"
        "from ai4med.components.transforms.multi_field_transformer import MultiFieldTransformer\n\n\n"
        "class Own(MultiFieldTransformer):\n"
        "    def __init__(self, fields, file):\n        MultiFieldTransformer.__init__(self, fields)\n"
        "    def transform(self, transform_ctx):\n        return transform_ctx\n"
    )
    (mmar / "custom/helpers").mkdir(parents=True)
    (mmar / "custom/mine.py").write_text(code)
    (mmar / "custom/helpers/__init__.py").write_text("")
    (mmar / "custom/helpers/more.py").write_text("x = 1\n")
    (mmar / "custom/unused.py").write_text("x = 1\n")
    before = {path: path.read_bytes() for path in mmar.rglob("*") if path.is_file()}
    bundle = migrate(tmp_path / "bundle", mmar).folder
    assert {path: path.read_bytes() for path in mmar.rglob("*") if path.is_file()} == before
    assert not canary.exists()
    scripts = sorted(str(path.relative_to(bundle / "scripts")) for path in (bundle / "scripts").rglob("*.py"))
    assert scripts == ["helpers/__init__.py", "helpers/more.py", "mine.py"]
    assert (bundle / "tables/atlas.txt").read_text() == "atlas"
    run_bundle(bundle, "train", "--epochs", "1")
    assert canary.exists()
    assert str(mmar) not in (bundle / "configs/train.json").read_text()


def test_a_folder_that_has_something_is_left_alone(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle/mine.txt").write_text("mine")
    with pytest.raises(ClaraError, match="exists already: name a new folder for the bundle with -o"):
        migrate(tmp_path / "bundle", trained)
    assert [path.name for path in tmp_path.iterdir() if "bundle" in path.name] == ["bundle"]


def test_an_error_leaves_nothing(small_mmar: Callable[..., Path], tmp_path: Path) -> None:
    mmar = small_mmar(lambda config: config["train"]["loss"].update(name="Dyce"))
    with pytest.raises(ClaraError, match=r"config_train.json:\d+ train.loss.*Dice"):
        migrate(tmp_path / "bundle", mmar)
    assert not (tmp_path / "bundle").exists()
    with pytest.raises(ClaraError, match="neither config/config_train.json nor config/config_validation.json"):
        migrate(tmp_path / "bundle", tmp_path)


def test_two_configs_of_a_kind(trained: Path, tmp_path: Path) -> None:
    shutil.copy(trained / "config/config_train.json", trained / "config/other.json")
    with pytest.raises(ClaraError, match="are both for training: a bundle has one of them"):
        migrate(tmp_path / "bundle", trained, ["config/config_train.json", "config/other.json"])


def test_monai_finds_what_it_looks_for(trained: Path, tmp_path: Path) -> None:
    bundle = migrate(tmp_path / "bundle", trained).folder
    here = {"meta_file": str(bundle / "configs/metadata.json"), "bundle_root": str(bundle)}
    workflow = ConfigWorkflow(config_file=str(bundle / "configs/train.json"), workflow_type="train", **here)
    workflow.initialize()
    assert not workflow.check_properties()


def test_a_native_bundle_needs_nothing_of_this_package(trained: Path, tmp_path: Path, run_bundle: Any) -> None:
    (trained / "config/config_validation.json").write_text(json.dumps(EVALUATION))
    result = migrate(tmp_path / "bundle", trained, native=True)
    assert not result.needs
    assert "clara_compat." not in "".join(file.read_text() for file in (result.folder / "configs").iterdir())
    assert not (result.folder / "models/model.pt").exists()
    assert "the native network is another one" in str(result.notices)
    readme = (result.folder / "docs/README.md").read_text()
    assert "| `clara_compat.engine.networks.unet.ClaraUNet` | `monai.networks.nets.DynUNet` |" in readme
    run_bundle(result.folder, "train", "--epochs", "2", plain=True)
    assert (result.folder / "models/model.pt").is_file()
    run_bundle(result.folder, "evaluate", plain=True)
    assert "dice" in "".join(file.read_text() for file in (result.folder / "eval").glob("*.csv"))
    (result.folder / "input").mkdir()
    shutil.copy(Path(result.configs["train"]["DATA_ROOT"]) / "case4_image.nii.gz", result.folder / "input")
    run_bundle(result.folder, "inference", plain=True)
    [written] = (result.folder / "predictions").rglob("*.nii.gz")
    assert nibabel.load(written).shape == (24, 22, 20)


def test_a_native_validation_run(trained: Path, tmp_path: Path, run_bundle: Any) -> None:
    bundle = migrate(tmp_path / "bundle", trained, ["config/config_train.json"], native=True).folder
    run_bundle(bundle, "train", "--epochs", "1", plain=True)
    done = run_bundle(bundle, "evaluate", plain=True)
    assert "mean_dice: " in done.stdout


def test_what_is_called_weights_and_is_something_else_stays_behind(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (trained / "models/model.pt").unlink()
    (trained / "models/model.pt").symlink_to(tmp_path / "secret")
    with pytest.raises(ClaraError, match="model.pt' is no file of weights that torch wrote: it does not go into"):
        migrate(tmp_path / "bundle", trained)
    assert not (tmp_path / "bundle").exists()


def test_weights_to_start_from_stay_where_the_bundle_has_them(
    trained: Path, small_scans: Path, tmp_path: Path, run_bundle: Any
) -> None:
    environment = json.loads((trained / "config/environment.json").read_text())
    environment |= {"MMAR_CKPT": "models/model.pt", "DATA_ROOT": "/nowhere"}
    (trained / "config/environment.json").write_text(json.dumps(environment))
    bundle = migrate(tmp_path / "bundle", trained).folder
    assert (bundle / "models/start/model.pt").read_bytes() == (trained / "models/model.pt").read_bytes()
    shutil.rmtree(trained)
    more = ["--epochs", "1", "--ckpt_dir", str(tmp_path / "there"), "--dataset_dir", str(small_scans)]
    done = run_bundle(bundle, "train", *more)
    assert re.search(r"weights of \S*models/start/model.pt: (\d+) of the network's \1 tensors", done.stdout)
    assert (tmp_path / "there/model.pt").is_file()


def test_weights_that_do_not_fit_a_native_network_stay_behind(trained: Path, tmp_path: Path) -> None:
    bundle = migrate(tmp_path / "bundle", trained, overrides={"MMAR_CKPT": "models/model.pt"}, native=True).folder
    assert not any((bundle / "models").rglob("*.pt"))


def test_a_data_list_that_is_not_here_is_told(trained: Path, tmp_path: Path) -> None:
    there = migrate(tmp_path / "bundle", trained)
    assert "data list" not in str(there.notices)
    gone = migrate(tmp_path / "other", trained, overrides={"DATASET_JSON": "/nowhere/list.json"})
    assert "the data list /nowhere/list.json is not here: give the bundle DATA_ROOT and DATASET_JSON" in str(
        gone.notices
    )


def test_a_full_disk_leaves_nothing(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(content: Any, path: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr("clara_compat.run.migrate.save_json", full)
    with pytest.raises(ClaraError, match=r"bundle' cannot be written: No space left on device: .*train.json"):
        migrate(tmp_path / "bundle", trained)
    assert not [path for path in tmp_path.iterdir() if "bundle" in path.name]
