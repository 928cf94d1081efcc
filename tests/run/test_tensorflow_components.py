"""A network and a loss written with TensorFlow 1, through a whole workflow, and weights that TensorFlow wrote."""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch

from clara_compat import check, evaluate, export, infer, train
from clara_compat.engine import inferers
from clara_compat.errors import ClaraError
from clara_compat.tensorflow.checkpoint.reader import open_checkpoint

Make = Callable[..., Path]
TESTS = Path(__file__).parents[1]
NETWORK = TESTS / "tensorflow" / "components" / "custom_network.py"
LOSS = TESTS.parent / "configs" / "demo_tensorflow" / "custom" / "myLoss.py"
CHECKPOINT = TESTS / "references" / "checkpoints_of_components" / "custom_network" / "model.ckpt"
ARRAYS = TESTS / "references" / "tensorflow_components.npz"

EVALUATION: dict[str, Any] = {
    "DATA_LIST_KEY": "validation",
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
    "label_transforms": [
        {"name": "LoadNifti", "args": {"fields": ["label"]}},
        {"name": "ConvertToChannelsFirst", "args": {"fields": ["label"]}},
    ],
    "val_metrics": [{"name": "ComputeAverageDice", "args": {"name": "dice", "field": "model", "label_field": "label"}}],
}
VALIDATION = {"do_validation": True, "output_infer_result": False}
STILL = {"epochs": 1, "learning_rate": 1e-12}
"""Trains without changing anything."""


@pytest.fixture
def mmar(small_mmar: Make) -> Path:
    """An MMAR of the two components, both unchanged from where they are used elsewhere."""

    def change(config: dict[str, Any]) -> None:
        config.update(learning_rate=1e-2)
        arguments = {"num_classes": 2, "factor": 2, "final_activation": "softmax"}
        config["train"]["model"] = {"path": "custom_network.CustomNetwork", "args": arguments}
        config["train"]["loss"] = {"path": "myLoss.DiceAndCrossEntropy", "args": {"class_weights": [1, 2]}}

    made = small_mmar(change)
    (made / "custom").mkdir()
    for file in (NETWORK, LOSS):
        shutil.copy(file, made / "custom")
    (made / "config/config_validation.json").write_text(json.dumps(EVALUATION))
    return made


def weights_of(file: Path) -> dict[str, torch.Tensor]:
    return torch.load(file, weights_only=True)


@pytest.mark.slow
def test_trained_evaluated_fine_tuned_and_exported(mmar: Path) -> None:
    report = check(mmar / "config/config_train.json", mmar)
    assert (report.errors, report.limits) == ([], [])
    before = set(sys.modules)
    first = train(mmar)
    assert not {name for name in set(sys.modules) - before if name.partition(".")[0] in ("tensorflow", "keras")}
    losses = [epoch["loss"] for epoch in first.stats["epochs"]]
    assert losses[-1] < losses[0]
    weights = weights_of(mmar / "models/model.pt")
    assert list(weights) == [f"store.{name}" for name in first.network.variables]

    found = evaluate(mmar, overrides=VALIDATION)
    assert found.metrics["dice"] == pytest.approx(first.stats["best_value"], abs=1e-4)

    tuned = train(mmar, overrides={"MMAR_CKPT": "models/model.pt", "MMAR_CKPT_DIR": "again", **STILL})
    for name, value in tuned.network.state_dict().items():
        torch.testing.assert_close(value.cpu(), weights[name], rtol=0, atol=1e-6)

    result = export(mmar / "models", mmar=mmar, triton_model="spleen")
    assert set(result.paths) == {"torchscript", "onnx", "triton"}
    image = np.random.default_rng(0).random((2, 1, 16, 16, 16), dtype=np.float32)
    best = first.network.cpu().eval()
    best.load_state_dict(weights)
    with torch.no_grad():
        expected = best(torch.from_numpy(image)).numpy()
        script = torch.jit.load(result.paths["torchscript"])(torch.from_numpy(image)).numpy()
    session = onnxruntime.InferenceSession(result.paths["onnx"])
    [onnx] = session.run(["NV_MODEL_OUTPUT"], {"NV_MODEL_INPUT": image})
    np.testing.assert_allclose(script, expected, rtol=0, atol=1e-4)
    np.testing.assert_allclose(onnx, expected, rtol=0, atol=1e-4)


@pytest.mark.slow
def test_mixed_precision(mmar: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inferers, "native_bfloat16", lambda _device: True)  # this CPU may have to emulate it
    exact = train(mmar, overrides={"epochs": 1})
    mixed = train(mmar, overrides={"epochs": 1, "use_amp": True, "MMAR_CKPT_DIR": "mixed"})
    first, second = (result.stats["epochs"][0]["loss"] for result in (exact, mixed))
    assert second == pytest.approx(first, rel=0.05)
    assert first != second
    weights = weights_of(mmar / "mixed/model.pt")
    assert {value.dtype for value in weights.values()} == {torch.float32}
    assert all(bool(value.isfinite().all()) for value in weights.values())


@pytest.mark.slow
def test_through_claras_command(mmar: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "nvmidl.apps.train", "-m", str(mmar), "-c", "config/config_train.json"),
            *("-e", "config/environment.json", "--set", "epochs=1", "MMAR_CKPT_DIR=command"),
        ],
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "epoch 1/1: loss" in done.stdout
    assert set(weights_of(mmar / "command/model.pt")) == {
        f"store.{name}" for name in open_checkpoint(CHECKPOINT).variables
    }


@pytest.mark.slow
def test_fine_tuning_from_a_checkpoint_of_tensorflow(mmar: Path, caplog: pytest.LogCaptureFixture) -> None:
    more = {"MMAR_CKPT": str(CHECKPOINT), **STILL}
    notices = [notice.text for notice in check(mmar / "config/config_train.json", mmar, overrides=more).notices]
    assert (
        f"whether '{CHECKPOINT}.index' fits CustomNetwork is told when the run has made it: it is user code" in notices
    )
    with caplog.at_level(logging.INFO, "clara_compat"):
        result = train(mmar, overrides=more)
    assert f"weights of {CHECKPOINT}.index: 14 of the network's 14 tensors are taken over" in caplog.text
    assert "is told when the run has made it" not in caplog.text
    checkpoint = open_checkpoint(CHECKPOINT)
    for name, value in result.network.variables.items():
        np.testing.assert_allclose(value.detach().cpu().numpy(), checkpoint.read(name), rtol=0, atol=1e-6)


@pytest.mark.slow
def test_a_folder_that_holds_only_tensorflows_weights(
    mmar: Path, small_scans: Path, caplog: pytest.LogCaptureFixture
) -> None:
    models = mmar / "models"
    shutil.copytree(CHECKPOINT.parent, models)
    config = mmar / "config/config_train.json"
    told = f"{models} does not say what network the weights belong to: it is taken from {config}"
    with pytest.raises(
        ClaraError, match=r"configs/train.json is missing, .* or with --mmar an MMAR whose config/config"
    ):
        export(models)
    with caplog.at_level(logging.INFO, "clara_compat"):
        found = evaluate(mmar, overrides=VALIDATION)
        result = export(models, mmar=mmar)
        scan = next(small_scans.rglob("*_image.nii.gz"))
        infer(scan, mmar / "config/config_validation.json", mmar / "mask.nii.gz", mmar=mmar, model=models)
    assert 0 <= found.metrics["dice"] <= 1
    assert caplog.text.count(told) == 3
    assert told in result.notices
    assert set(result.paths) == {"torchscript", "onnx"}
    assert max(result.differences.values()) <= 1e-4

    content = json.loads(config.read_text())  # as the reference was made
    content["train"]["model"]["args"]["final_activation"] = "linear"
    config.write_text(json.dumps(content))
    path = export(models, mmar=mmar, onnx=False).paths["torchscript"]
    with np.load(ARRAYS) as archive:
        image, expected = archive["custom_network/image"], archive["custom_network/inference"]
    found_there = torch.jit.load(path)(torch.from_numpy(image)).numpy()
    np.testing.assert_allclose(found_there, expected, rtol=0, atol=1e-5)


@pytest.mark.slow
def test_what_does_not_fit_is_named(mmar: Path) -> None:
    with pytest.raises(
        ClaraError, match=r"'CustomNetwork/conv3d/kernel' of '.*' is float32 \(3, 3, 3, 1, 2\), the net"
    ):
        train(mmar, overrides={"MMAR_CKPT": str(CHECKPOINT), "train.model.args.factor": 4, **STILL})
    shutil.copytree(CHECKPOINT.parent, mmar / "models", dirs_exist_ok=True)
    config = mmar / "config/config_train.json"
    config.write_text(config.read_text().replace('"factor": 2', '"factor": 4'))
    with pytest.raises(ClaraError, match=r"model.ckpt.index' are not those of the CustomNetwork: .*conv3d/kernel"):
        evaluate(mmar, overrides=VALIDATION)
