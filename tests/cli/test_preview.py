"""The command ``preview``: a table, a picture, an exit code."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from clara_compat.cli.main import main

Make = Callable[..., Path]


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        main(["preview", *arguments])
    return end.value.code or 0


def test_help_teaches_and_is_instant() -> None:
    code = "import sys; from clara_compat.cli.main import main\ntry: main(['preview', '--help'])\n"
    code += "except SystemExit: pass\nprint([m for m in ('torch', 'monai', 'matplotlib') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.splitlines()[-1] == "[]"
    assert "Example: clara-compat preview" in out


def test_a_table_per_item_and_where_the_picture_is(
    small_mmar: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mmar, out = small_mmar(), tmp_path / "sheets/mine.png"
    assert run("config/config_train.json", "-m", str(mmar), "-n", "1", "-o", str(out), "--set", "epochs=1") == 0
    printed = capsys.readouterr().out
    for words in (
        "What the transforms of config_train.json do · train section · seed 2 (determinism) · epoch 1",
        "item 1: case",
        "LoadNifti",
        "DHW 24×22×20",
        "1 × 1 × 1.5 mm",
        "FastPosNegRatioCropROI",
        "CDHW 1×16×16×16",
        "unchanged",
        "random",
        "% foreground",
        f"Picture: {out}",
    ):
        assert words in printed, words
    assert printed.count("item ") == 1
    assert out.exists()
    assert not (mmar / "models").exists()


def test_a_failing_transform_shows_what_came_before_and_ends_with_2(
    small_mmar: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    mmar = small_mmar(lambda c: c["train"]["pre_transforms"].insert(2, {"path": "mine.Mine#[b]"}))
    (mmar / "custom").mkdir()
    (mmar / "custom/mine.py").write_text("class Mine:\n    def transform(self, c):\n        raise ValueError('no')\n")
    assert run(str(mmar / "config/config_train.json")) == 2
    out, err = capsys.readouterr()
    assert "ConvertToChannelsFirst" in out
    assert "ScaleIntensityRange" not in out
    assert (mmar / "models/preview.png").exists()
    assert "train.pre_transforms[2]: " in err
    assert "mine.py:3: ValueError: no" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("arguments", [["-n", "0"], ["-n", "21"], ["--section", "test"], ["--seed", "-1"]])
def test_odd_arguments_are_refused(small_mmar: Make, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(str(small_mmar() / "config/config_train.json"), *arguments) == 2
    assert "Invalid value" in capsys.readouterr().err
