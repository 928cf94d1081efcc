"""Training that starts from the weights of an earlier one."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from clara_compat import check, train
from clara_compat.errors import ClaraError

Make = Callable[..., Path]
CHECKPOINTS = Path(__file__).parents[1] / "references" / "tensorflow_checkpoints"


@pytest.fixture
def trained(small_mmar: Make) -> Path:
    """An MMAR that has been trained for one epoch."""
    mmar = small_mmar(lambda config: config.update(epochs=1))
    train(mmar)
    return mmar


def _weights(path: Path) -> dict[str, torch.Tensor]:
    return torch.load(path, weights_only=True)


def _equal(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return all(torch.allclose(first[name], second[name], atol=1e-6) for name in first)


STILL = {"learning_rate": 1e-12}
"""Trains without changing anything."""


@pytest.mark.parametrize("named", ["models/model.pt", "models/model.ckpt", "models", "models/checkpoint.pt"])
def test_fine_tuning_starts_from_the_weights(trained: Path, named: str) -> None:
    result = train(trained, overrides={"MMAR_CKPT": named, "MMAR_CKPT_DIR": "again", **STILL})
    assert _equal(_weights(trained / "models/model.pt"), result.network.state_dict())
    assert result.stats["epochs"][0]["metrics"] == pytest.approx(
        json.loads((trained / "models/train_stats.json").read_text())["epochs"][0]["metrics"], abs=1e-5
    )


@pytest.mark.parametrize("named", ["models/model.pt", "models", "models/checkpoint.pt"])
def test_weights_in_the_output_folder_are_followed(trained: Path, named: str) -> None:
    before = _weights(trained / "models/model.pt")
    for number in (1, 2):
        result = train(trained, overrides={"MMAR_CKPT": named, **STILL})
        path = json.loads(result.paths["bundle"].read_text())["network"]["path"]
        assert path.startswith(f"$@ckpt_dir + '/previous_{number}/")
        assert _equal(before, result.network.state_dict())


def test_a_link_to_weights_elsewhere_is_followed(trained: Path) -> None:
    (trained / "models/model.pt").rename(trained / "elsewhere.pt")
    (trained / "models/model.pt").symlink_to("../elsewhere.pt")
    result = train(trained, overrides={"MMAR_CKPT": "models/model.pt", **STILL})
    assert _equal(_weights(trained / "elsewhere.pt"), result.network.state_dict())


def test_the_bundle_config_on_disk_starts_from_them_too(trained: Path) -> None:
    from monai.bundle import ConfigParser

    result = train(trained, overrides={"MMAR_CKPT": "models/model.pt", "MMAR_CKPT_DIR": "again"})
    parser = ConfigParser()
    parser.read_config(result.paths["bundle"])
    assert _equal(_weights(trained / "models/model.pt"), parser.get_parsed_content("network").state_dict())


def test_new_weights_are_those_of_the_seed(trained: Path) -> None:
    """What a file does not give starts as it would without the file."""
    more = {"train.model.args.num_classes": 3, **STILL}
    fresh = train(trained, overrides={"MMAR_CKPT_DIR": "fresh", **more}).network.state_dict()
    tuned = train(trained, overrides={"MMAR_CKPT": "models/model.pt", "MMAR_CKPT_DIR": "tuned", **more}).network
    assert torch.allclose(tuned.state_dict()["head.weight"], fresh["head.weight"], atol=1e-6)
    assert not torch.allclose(tuned.state_dict()["encoder.0.1.weight"], fresh["encoder.0.1.weight"], atol=1e-6)


def test_check_says_what_fits(trained: Path) -> None:
    config = trained / "config/config_train.json"
    overrides = {"MMAR_CKPT": "models/model.pt", "train.model.args.num_classes": 3}
    state = torch.random.get_rng_state()
    report = check(config, overrides=overrides)
    assert torch.equal(state, torch.random.get_rng_state())
    assert report.passed
    [notice] = report.notices
    source = f"--set MMAR_CKPT: weights of {trained}/models/model.pt"
    assert str(notice).splitlines() == [
        f"{source}: 22 of the network's 24 tensors are taken over, the others keep their new weights:",
        "  head.weight: (2, 4, 1, 1, 1) in the file, (3, 4, 1, 1, 1) in the network",
        "  head.bias: (2) in the file, (3) in the network",
    ]
    assert check(config, overrides=overrides, data=False).notices == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"MMAR_CKPT": "modles/model.pt"},
            r"^--set MMAR_CKPT: the weights '.*/modles/model.pt' do not exist: train first, or name other weights$",
        ),
        ({"MMAR_CKPT": "config/environment.json"}, r"MMAR_CKPT: '.*environment.json' is damaged or no file of weights"),
        ({"MMAR_CKPT": "tf/model.ckpt"}, r"MMAR_CKPT: '.*tf/model.ckpt.index' is damaged or no part of a TensorFlow"),
        (
            {"MMAR_CKPT": str(CHECKPOINTS / "network")},
            r"MMAR_CKPT: the variables of the TensorFlow .*.* \(CustomNetwork/conv3d/bias, .* no known place in Clara",
        ),
        (
            {"MMAR_CKPT": "models/model.pt", "train.model.args.nf_enc": "8,8", "train.model.args.nf_dec": "3,3,3,3"}
            | {"train.model.args.num_classes": 5},
            r"MMAR_CKPT: nothing in '.*model.pt' fits the network: the file holds ClaraUNet \(.* is ClaraUNet \(",
        ),
    ],
)
def test_unusable_weights_are_told_before_anything_is_written(trained: Path, change: dict, message: str) -> None:
    (trained / "tf").mkdir()
    (trained / "tf/model.ckpt.index").write_bytes(b"x")
    change = {**change, "MMAR_CKPT_DIR": "again"}
    with pytest.raises(ClaraError, match=message):
        train(trained, overrides=change)
    assert not (trained / "again").exists()
    [error] = check(trained / "config/config_train.json", overrides=change).errors
    with pytest.raises(ClaraError, match=message):
        raise error
    assert check(trained / "config/config_train.json", overrides=change, data=False).passed


def _environment(mmar: Path, **values: str) -> None:
    file = mmar / "config/environment.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | values))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("/nowhere/resnet50.h5", "the weights '/nowhere/resnet50.h5' do not exist"),
        ("{here}/resnet50.h5", "'{here}/resnet50.h5' is a Keras file, whose weights are not read"),
        (
            "{here}/resnet.ckpt",
            "'{here}/resnet.ckpt' is a TensorFlow checkpoint, whose names are not known for this network",
        ),
    ],
)
def test_pretrained_weights_that_nobody_has_are_one_notice(
    small_mmar: Make, caplog: pytest.LogCaptureFixture, value: str, reason: str
) -> None:
    mmar = small_mmar(lambda config: config.update(epochs=1))
    for name in ("resnet50.h5", "resnet.ckpt.index"):
        (mmar / name).write_bytes(b"\x89HDF")
    _environment(mmar, PRETRAIN_WEIGHTS_FILE=value.format(here=mmar))
    with caplog.at_level(logging.INFO, "clara_compat"):
        result = train(mmar)
    [told] = [record.getMessage() for record in caplog.records if "PRETRAIN" in record.getMessage()]
    assert told.startswith(f"environment.json PRETRAIN_WEIGHTS_FILE: {reason.format(here=mmar)}")
    assert told.endswith("; the network starts from its normal initialisation")
    assert isinstance(json.loads(result.paths["bundle"].read_text())["network"], str)


def test_pretrained_weights_of_ours_are_loaded(trained: Path, caplog: pytest.LogCaptureFixture) -> None:
    _environment(trained, PRETRAIN_WEIGHTS_FILE=str(trained / "models/model.pt"))
    with caplog.at_level(logging.INFO, "clara_compat"):
        result = train(trained, overrides={"MMAR_CKPT_DIR": "again", **STILL})
    assert "24 of the network's 24 tensors are taken over" in caplog.text
    assert _equal(_weights(trained / "models/model.pt"), result.network.state_dict())


def test_empty_names_are_no_weights_and_the_checkpoint_wins(trained: Path, caplog: pytest.LogCaptureFixture) -> None:
    _environment(trained, PRETRAIN_WEIGHTS_FILE="")
    with caplog.at_level(logging.INFO, "clara_compat"):
        result = train(trained, overrides={"MMAR_CKPT_DIR": "again", "MMAR_CKPT": ""})
    assert isinstance(json.loads(result.paths["bundle"].read_text())["network"], str)
    assert "weights" not in caplog.text.replace("final weights", "")
    _environment(trained, PRETRAIN_WEIGHTS_FILE="/nowhere/resnet50.h5")
    caplog.clear()
    train(trained, overrides={"MMAR_CKPT": "again/final_model.pt"})
    assert "nowhere" not in caplog.text


@pytest.mark.parametrize("variable", ["MMAR_CKPT", "PRETRAIN_WEIGHTS_FILE"])
def test_the_last_weights_of_a_training_without_validation(
    trained: Path, caplog: pytest.LogCaptureFixture, variable: str
) -> None:
    (trained / "models/model.pt").unlink()
    with caplog.at_level(logging.INFO, "clara_compat"):
        train(trained, overrides={variable: str(trained / "models/model.ckpt")})
    assert f"--set {variable}: there is no" in caplog.text
    assert "final_model.pt is taken, its last weights" in caplog.text


def test_the_demos_script_for_fine_tuning_runs_as_written(trained: Path, small_scans: Path) -> None:
    """``train_finetune.sh`` with a ``python3`` of this environment first on PATH."""
    from clara_compat.demo.mmar import demo_mmar_folder

    (trained / "commands").symlink_to(demo_mmar_folder() / "commands")
    (trained / "data").symlink_to(small_scans)
    python = trained / "bin/python3"
    python.parent.mkdir()
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    done = subprocess.run(
        ["bash", "commands/train_finetune.sh", "epochs=1"],
        cwd=trained,
        env={**os.environ, "PATH": f"{python.parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert f"weights of {trained}/models/model.pt: 24 of the network's 24 tensors are taken over" in done.stdout
    assert "epoch 1/1: loss" in done.stdout
    assert (trained / "models_finetune/model.pt").is_file()
