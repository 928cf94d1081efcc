"""``clara-compat weights``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clara_compat.cli.main import main

CHECKPOINTS = Path(__file__).parents[1] / "references" / "tensorflow_checkpoints"
NETWORK = str(CHECKPOINTS / "network")


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ending:
        main(["weights", *arguments])
    return int(ending.value.code or 0)


def test_a_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list", NETWORK) == 0
    lines = [[cell.strip() for cell in line.split("│")[1:-1]] for line in capsys.readouterr().out.splitlines()]
    assert ["CustomNetwork/conv3d/kernel", "float32", "3×3×3×1×4", "network"] in lines
    assert ["CustomNetwork/conv3d/kernel/Adam", "float32", "3×3×3×1×4", "training"] in lines
    assert ["global_step", "int64", "scalar", "training"] in lines
    assert ["8 tensors of the network, 19 of the training", "", "228 numbers", ""] in lines


def test_a_list_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list", NETWORK, "--json") == 0
    content = json.loads(capsys.readouterr().out)
    assert content["path"] == f"{NETWORK}.index"
    assert len(content["tensors"]) == 27


def test_a_conversion(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "start.pt"
    assert run("convert", NETWORK, "-o", str(out)) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{out}: 8 tensors",
        "  left out: 19 variables of the training (its optimizer, counters)",
    ]
    assert run("convert", NETWORK, "-o", str(out)) == 2
    assert "start.pt exists: name another file, or add --force" in capsys.readouterr().err
    (tmp_path / "names.json").write_text('{"CustomNetwork/dense/bias": "fc.bias"}')
    assert run("convert", NETWORK, "-o", str(out), "--map", str(tmp_path / "names.json"), "--force") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{out}: 1 tensors"
    assert "  left out, as the mapping does not name it: CustomNetwork/conv3d/kernel" in lines
    assert run("list", str(out)) == 0
    assert "fc.bias" in capsys.readouterr().out


def test_the_help_says_how(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("convert", "--help") == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "MMAR_CKPT=models/model.ckpt loads by name" in text
    assert run("list", str(CHECKPOINTS / "first_format")) == 2
    assert "first format (V1)" in capsys.readouterr().err
