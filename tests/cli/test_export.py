"""``clara-compat export`` and Clara's own program for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import onnx
import pytest
import torch

from clara_compat import train
from clara_compat.cli.export import spread_shape
from clara_compat.cli.main import main
from clara_compat.run.export import ExportOptions


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ending:
        main(list(arguments))
    return int(ending.value.code or 0)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list:
    """What the commands asked for, instead of doing it."""
    seen: list = []
    monkeypatch.setattr("clara_compat.run.export.export", lambda folder, options: seen.append((str(folder), options)))
    return seen


def test_the_defaults(asked: list) -> None:
    assert run("export", "models") == 0
    assert run("export", "--model_file_path", "models") == 0
    assert asked == [("models", ExportOptions())] * 2


def test_every_flag_of_claras(asked: list) -> None:
    flags = {
        "--model_name": "model_final",
        "--model_file_path": "models",
        "--input_node_names": "image:0,NV_IS_TRAINING",
        "--output_node_names": "mask",
        "--checkpoint_ext": ".ckpt",
        "--meta_file_ext": ".meta",
        "--regular_frozen_file_ext": ".fzn.pb",
        "--trt_file_ext": ".trt.pb",
        "--trt_precision_mode": "fp16",
        "--max_batch_size": "8",
        "--trt_min_seg_size": "20",
        "--model_file_format": "ckpt",
        "--trtis_model_name": "spleen",
    }
    arguments = [part for flag in flags.items() for part in flag]
    arguments += ["--trt_dynamic_mode", "--trtis_input_shape", "1", "96", "96", "64", "--trtis_export"]
    assert run("export", *arguments) == 0
    assert asked == [
        (
            "models",
            ExportOptions(
                model_name="model_final",
                input_name="image",
                output_name="mask",
                input_shape=[1, 96, 96, 64],
                max_batch_size=8,
                triton_model="spleen",
                precision="FP16",
            ),
        )
    ]


@pytest.mark.parametrize("flag", ["-m", "--mmar"])
def test_the_mmar_by_the_flags_of_the_other_commands(asked: list, flag: str) -> None:
    assert run("export", "models", flag, "my_mmar") == 0
    assert asked == [("models", ExportOptions(mmar=Path("my_mmar")))]


def test_without_onnx(asked: list) -> None:
    assert run("export", "models", "--no-onnx") == 0
    assert not asked[0][1].onnx


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--trtis_input_shape", "1", "2", "-x", "3"], "--trtis_input_shape 1 --trtis_input_shape 2 -x 3"),
        (["--trtis_input_shape", "1,2", "3 4"], " ".join(f"--trtis_input_shape {n}" for n in (1, 2, 3, 4))),
        (["models", "3"], "models 3"),
    ],
)
def test_the_shape_is_spread(arguments: list[str], expected: str) -> None:
    assert " ".join(spread_shape(arguments)) == expected


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "no folder is named: add --model_file_path and the MMAR_CKPT_DIR of a training"),
        (["a", "--model_file_path", "b"], r"two folders are named, a and b (--model_file_path): leave one out"),
        (["a", "--model_file_format", "SAVED_MODEL"], "--model_file_format is SAVED_MODEL, expected CKPT"),
        (["a", "--input_node_names", "x,y"], "--input_node_names is 'x,y', expected one name"),
        (["/nowhere/models"], "the folder /nowhere/models does not exist"),
    ],
)
def test_what_the_user_can_mend(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("export", *arguments) == 2
    assert message in capsys.readouterr().err


SCRIPT = """\
#!/usr/bin/env bash
my_dir="$(dirname "$0")"
MMAR_ROOT=${MMAR_ROOT:-$(cd "$my_dir/.." && pwd)}

python3 -u -m nvmidl.apps.export \\
    --model_name model \\
    --model_file_path "${MMAR_ROOT}/models" \\
    --input_node_names "NV_MODEL_INPUT" \\
    --output_node_names NV_MODEL_OUTPUT \\
    --checkpoint_ext .ckpt \\
    --meta_file_ext .meta \\
    --regular_frozen_file_ext .fzn.pb \\
    --trt_file_ext .trt.pb \\
    --trt_precision_mode FP32 \\
    --trt_dynamic_mode \\
    --max_batch_size 4 \\
    --trt_min_seg_size 50 \\
    --model_file_format CKPT \\
    --trtis_export \\
    --trtis_model_name segmentation_ball \\
    --trtis_input_shape 1 16 16 32
"""


def test_the_legacy_script_runs_as_written(small_mmar: Callable[..., Path]) -> None:
    """``export.sh`` with a ``python3`` of this environment first on PATH."""
    mmar = small_mmar(lambda config: config.update(epochs=1))
    train(mmar)
    (mmar / "commands").mkdir()
    (mmar / "commands/export.sh").write_text(dedent(SCRIPT))
    python = mmar / "bin/python3"
    python.parent.mkdir()
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    environment = {**os.environ, "PATH": f"{python.parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", str(mmar / "commands/export.sh")], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    models = mmar / "models"
    assert torch.jit.load(models / "model.ts")(torch.rand(1, 1, 16, 16, 16)).shape == (1, 2, 16, 16, 16)
    served = onnx.load(models / "segmentation_ball/1/model.onnx")
    assert [tensor.name for tensor in (*served.graph.input, *served.graph.output)] == [
        "NV_MODEL_INPUT",
        "NV_MODEL_OUTPUT",
    ]
    config = (models / "segmentation_ball/config.pbtxt").read_text()
    assert json.loads(config.partition("dims: ")[2].partition("\n")[0]) == [1, 16, 16, 32]
    assert "no TensorRT plan is made" in done.stdout
