"""``--no-user-code``: what a config or a folder of weights brings along as a program is named, and never run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from clara_compat import evaluate, infer, preview, train
from clara_compat.common.user_code_switch import check_allowed, user_code_allowed
from clara_compat.config.user_roots import search_roots
from clara_compat.errors import ClaraError
from clara_compat.run.export import export
from clara_compat.tensorflow import loader
from clara_compat.translate.saved_network import saved_network

Make = Callable[..., Path]

CODE = """
from pathlib import Path

Path(__file__).with_name("ran").touch()

import tensorflow as tf
from ai4med.components.losses.loss import Loss
from ai4med.components.transforms.multi_field_transformer import MultiFieldTransformer
from ai4med.components.transforms.scale_intensity_range import ScaleIntensityRange


class Noise(MultiFieldTransformer):
    def transform(self, transform_ctx):
        return transform_ctx


class Same(ScaleIntensityRange):
    pass


class Mine:
    def get_loss(self, predictions, targets, build_ctx=None):
        return tf.reduce_mean(predictions)
"""
SLOTS = [
    "train.loss",
    "train.model",
    "train.optimizer",
    "train.lr_policy",
    "train.pre_transforms[5]",
    "train.pre_transforms[6]",
    "train.aux_ops[1]",
    "train.handlers[0]",
    "train.image_pipeline",
    "validate.metrics[2]",
    "validate.inferer",
]
"""Where a component of the MMAR can stand."""


def everywhere(config: dict[str, Any]) -> None:
    """Name a component of the MMAR in every slot."""
    section, mine = config["train"], {"path": "mine.Mine"}
    section |= {"loss": mine, "model": mine, "optimizer": mine, "lr_policy": mine, "handlers": [mine]}
    section["pre_transforms"] += [{"path": "mine.Noise", "args": {"fields": "image"}}, {"path": "gone.Gone"}]
    section["aux_ops"].append(mine)
    section["image_pipeline"] = {"path": "mine.Mine"}
    config["validate"]["metrics"].append(mine)
    config["validate"]["inferer"] = mine


@pytest.fixture
def executed() -> Iterator[Callable[[], list[str]]]:
    """Return what was compiled or executed of files of an MMAR since the last call."""
    seen: list[str] = []
    on = True

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if not on or event not in ("compile", "exec"):
            return
        file = arguments[1] if event == "compile" else getattr(arguments[0], "co_filename", "")
        if isinstance(file, str) and re.search(r"/mmar\d/", file):
            seen.append(f"{event} {file}")

    sys.addaudithook(hook)

    def told() -> list[str]:
        found = list(seen)
        seen.clear()
        return found

    yield told
    on = False


@pytest.mark.parametrize("command", ["train", "preview"])
def test_every_component_of_the_users_is_named(
    hostile_mmar: Make, run: Callable, executed: Callable, command: str
) -> None:
    mmar = hostile_mmar(everywhere)
    (mmar / "mine.py").write_text(CODE)
    arguments = ["-m", mmar] if command == "train" else [mmar / "config/config_train.json"]
    outcome = run(command, *arguments, "--no-user-code")
    assert outcome.code == 2
    text = " ".join(outcome.text.split())
    for slot in SLOTS:
        place = (
            rf"config_train\.json:\d+ {re.escape(slot)}[^:]*: '(mine\.\w+|gone\.Gone)' is user code, which is not run"
        )
        assert re.search(place, text), slot
    assert executed() == []
    assert not (mmar / "ran").exists()
    assert not (mmar / "models").exists()


@pytest.mark.parametrize(
    ("slot", "component"),
    [
        ("pre_transforms", {"path": "mine.Noise", "args": {"fields": "image"}}),
        ("pre_transforms", {"path": "mine.Same", "args": {"fields": "image", "a_min": 0, "a_max": 1, "b_min": 0}}),
        ("loss", {"path": "mine.Mine"}),
    ],
)
def test_one_component_is_enough(hostile_mmar: Make, executed: Callable, slot: str, component: dict[str, Any]) -> None:
    def change(config: dict[str, Any]) -> None:
        if slot == "loss":
            config["train"]["loss"] = component
        else:
            config["train"][slot].append(component)

    mmar = hostile_mmar(change)
    (mmar / "custom").mkdir()
    (mmar / "custom/mine.py").write_text(CODE)
    for call in (
        lambda: train(mmar, user_code=False),
        lambda: preview(mmar / "config/config_train.json", user_code=False),
    ):
        with pytest.raises(ClaraError, match=rf"train\.{slot}.*: '{component['path']}' is user code, which is not run"):
            call()
    assert executed() == []


@pytest.mark.parametrize("command", ["check", "migrate", "lint", "report"])
def test_commands_that_only_read_code(hostile_mmar: Make, run: Callable, executed: Callable, command: str) -> None:
    mmar = hostile_mmar(lambda config: config["train"].update(loss={"path": "mine.Mine"}))
    (mmar / "mine.py").write_text(CODE)
    (mmar / "models/configs").mkdir(parents=True)
    (mmar / "models/train_stats.json").write_text(json.dumps({"epochs": [{"epoch": 1, "loss": 0.5}]}))
    component = {"_target_": "clara_compat.tensorflow.loader.component", "path": "mine.Mine"}
    config = {"user_code": [str(mmar)], "loss_def": component, "initialize": ["$__import__('mine')"]}
    (mmar / "models/configs/train.json").write_text(json.dumps(config))
    arguments = {
        "check": [mmar / "config/config_train.json"],
        "migrate": ["-m", mmar, "-c", "config/config_train.json", "-o", mmar / "bundle"],
        "lint": [mmar],
        "report": [mmar / "models"],
    }
    assert run(command, *arguments[command]).code == 0
    assert [event for event in executed() if event.startswith("exec")] == []
    assert not (mmar / "ran").exists()


def test_a_download_is_refused(hostile_mmar: Make, run: Callable) -> None:
    model = {"path": "monai.networks.nets.ResNetFeatures", "args": {"model_name": "resnet10"}}
    mmar = hostile_mmar(lambda config: config["train"].update(model=model))
    outcome = run("train", "-m", mmar, "--no-user-code")
    assert outcome.code == 2
    told = "train.model: monai.networks.nets.ResNetFeatures would download its first weights, which it does not with"
    assert told in " ".join(outcome.text.split())


def test_what_is_no_user_code_keeps_its_message(hostile_mmar: Make, run: Callable) -> None:
    mmar = hostile_mmar(lambda config: config["train"].update(loss={"path": "os.system"}))
    outcome = run("train", "-m", mmar, "--no-user-code")
    assert outcome.code == 2
    assert "'os.system' is refused: a config may only name classes of the catalogue" in " ".join(outcome.text.split())


EVALUATION: dict[str, Any] = {
    "batch_size": 1,
    "DATA_LIST_KEY": "validation",
    "inferer": {"name": "TFScanWindowInferer", "args": {"roi_size": [16, 16, 16]}},
    "pre_transforms": [
        {"name": "LoadNifti", "args": {"fields": ["image"]}},
        {"name": "ConvertToChannelsFirst", "args": {"fields": ["image"]}},
    ],
    "post_transforms": [{"name": "ArgmaxAcrossChannels", "args": {"fields": "model"}}],
    "writers": [
        {"name": "WriteNifti", "args": {"field": "model", "dtype": "uint8", "write_path": "{MMAR_EVAL_OUTPUT_PATH}"}}
    ],
}


def test_built_ins_run_as_ever(hostile_mmar: Make, executed: Callable, tmp_path: Path, small_scans: Path) -> None:
    mmar = hostile_mmar()
    (mmar / "mine.py").write_text(CODE)
    (mmar / "config/config_validation.json").write_text(json.dumps(EVALUATION))
    trained = train(mmar, overrides={"epochs": 1}, user_code=False)
    assert trained.paths["final_model"].is_file()
    bundle = json.loads(trained.paths["bundle"].read_text())
    assert bundle["user_code"] == []
    assert evaluate(mmar, overrides={"MMAR_EVAL_OUTPUT_PATH": "eval"}, user_code=False).stats["cases"]
    export(mmar / "models", onnx=False, mmar=mmar, user_code=False)
    image = small_scans / "case0_image.nii.gz"
    config = mmar / "config/config_validation.json"
    assert infer(image, config, tmp_path / "mask.nii.gz", mmar=mmar, user_code=False).files
    with pytest.raises(ClaraError, match=r"model\.ts' is TorchScript, a program, which is not run with --no-user-code"):
        infer(image, config, tmp_path / "two.nii.gz", mmar=mmar, model=mmar / "models/model.ts", user_code=False)
    assert executed() == []
    assert not (mmar / "ran").exists()


def test_a_saved_network_of_the_users(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(CODE)
    (tmp_path / "configs").mkdir()
    component = {"_target_": "clara_compat.tensorflow.loader.component", "path": "mine.Mine", "args": {}}
    entry = {"_target_": "clara_compat.engine.legacy.module.user_module", "module": component}
    (tmp_path / "configs/train.json").write_text(json.dumps({"network_def": entry}))
    with pytest.raises(ClaraError, match="'mine.Mine' is user code, which is not run with --no-user-code"):
        saved_network(tmp_path, search_roots(tmp_path, allowed=False))
    with pytest.raises(ClaraError, match="'mine.Mine' is user code, which is not run with --no-user-code"):
        export(tmp_path, mmar=tmp_path, user_code=False)


def test_the_loader_refuses_what_no_check_has_seen(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(CODE)
    used = loader.use([str(tmp_path)])
    with user_code_allowed(False):
        with pytest.raises(
            ClaraError, match=r"the user's module 'mine' .*mine\.py.* is not run: user code is switched"
        ):
            used.load("mine")
        with pytest.raises(ClaraError, match=r"the user's class 'mine\.Mine' is not run: user code is switched off"):
            loader.component("mine.Mine")
        with user_code_allowed(False), pytest.raises(ClaraError, match="it is not run"):
            check_allowed("it")
        with pytest.raises(ClaraError, match="it is not run"):
            check_allowed("it")
    check_allowed("it")
    assert not (tmp_path / "ran").exists()
    assert used.load("mine").Mine
    assert (tmp_path / "ran").exists()


def test_python_finds_nothing_of_the_mmar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside, outside = tmp_path / "mmar/custom", tmp_path / "mmar2"
    for folder in (inside, outside):
        folder.mkdir(parents=True)
    (tmp_path / "link").symlink_to(inside)
    monkeypatch.chdir(tmp_path / "mmar")
    given = ["", str(inside), str(tmp_path / "link"), str(outside)]
    monkeypatch.setattr(sys, "path", [*given, *sys.path])
    before = list(sys.path)
    with user_code_allowed(False, tmp_path / "mmar"):
        assert sys.path == [entry for entry in before if entry not in given[:3]]
    assert sys.path == before


def test_a_module_of_the_mmar_takes_no_packages_place(hostile_mmar: Make) -> None:
    """The scripts of MMARs put their own folder on PYTHONPATH: a file matplotlib.py there comes before the package."""
    mmar = hostile_mmar()
    for name in ("matplotlib", "ignite", "monai"):
        (mmar / f"{name}.py").write_text("from pathlib import Path\nPath(__file__).with_name('ran').touch()\n")
    path = os.pathsep.join([str(mmar), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", "clara_compat.cli.main", "train", "-m", str(mmar), "--set", "epochs=1"]
    code = f"from clara_compat.cli.main import main; main({command[3:]!r} + ['--no-user-code'])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}, cwd=mmar, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert (mmar / "models/report.html").is_file()
    assert not (mmar / "ran").exists()
