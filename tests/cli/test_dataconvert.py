"""``nvmidl-dataconvert``: Clara's flags, its questions, and how it ends."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from clara_compat.cli.dataconvert import main, spread_resolution

MODULE = [sys.executable, "-m", "nvmidl.apps.convert_medical_image"]


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    return end.value.code or 0


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """A folder with three scans of 4 x 6 x 8 voxels of 1 x 1 x 2 mm."""
    folder = tmp_path / "scans"
    folder.mkdir()
    for name in "abc":
        image = nib.Nifti1Image(np.arange(192, dtype=np.int16).reshape(4, 6, 8), np.diag([1.0, 1.0, 2.0, 1.0]))
        nib.save(image, folder / f"{name}.nii")
    return folder


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Answers that a user at a terminal will type; all must be asked for. An empty list ends the input."""
    answers: list[str] = []

    def typed(prompt: str) -> str:
        assert "exists. Overwrite? (Y)es, (N)o, (A)lways, (S)kip all" in prompt
        if not answers:
            raise EOFError
        return answers.pop(0)

    monkeypatch.setattr("builtins.input", typed)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    yield answers
    assert not answers


@pytest.mark.parametrize(
    ("given", "spread"),
    [
        (["-r", "1", "1", "2.5", "-l"], ["-r", "1", "-r", "1", "-r", "2.5", "-l"]),
        (["--res", "1", "1", "2.5"], ["--res", "1", "-r", "1", "-r", "2.5"]),
        (["-r", "1", "-p", "3"], ["-r", "1", "-p", "3"]),
        (["-p", "3", "-r", "1e0", "2"], ["-p", "3", "-r", "1e0", "-r", "2"]),
        (["-r", "x", "1"], ["-r", "x", "1"]),
        (["-r"], ["-r"]),
        (["-d", "1", "2"], ["-d", "1", "2"]),
    ],
)
def test_claras_resolution_takes_all_numbers_that_follow(given: list[str], spread: list[str]) -> None:
    assert spread_resolution(given) == spread


def test_help_is_instant_and_teaches() -> None:
    code = "import sys; from clara_compat.cli.dataconvert import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
    code += "print([m for m in ('itk', 'numpy', 'torch', 'nibabel') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.splitlines()[-1] == "[]"
    assert "nvmidl-dataconvert -d scans -r 1 -s .dcm -e .nii.gz -o scans_1mm" in out
    flags = "--dir --res --src_ext --dst_ext --output --force --label --first_decimal --precision"
    assert [flag for flag in flags.split(" ") if flag not in out] == []


def test_the_old_module_and_the_new_command_are_one(scans: Path, tmp_path: Path) -> None:
    project = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    assert f'\nnvmidl-dataconvert = "{main.__module__}:{main.__name__}"\n' in project
    assert importlib.import_module("nvmidl.apps.convert_medical_image").main is main

    command = [*MODULE, "-d", str(scans), "-r", "2", "-e", ".nii.gz", "-o", str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert (done.returncode, done.stderr) == (0, "")
    assert nib.load(tmp_path / "out/a.nii.gz").shape == (2, 3, 8)
    lines = done.stdout.splitlines()
    assert lines[0] == f"converted a.nii -> {tmp_path}/out/a.nii.gz: 4x6x8 of 1x1x2 mm -> 2x3x8 of 2x2x2 mm"
    assert lines[3].strip() == "Done"


def test_claras_command_line(scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert run("--dir", scans, "--res", "2", "3", "4", "--dst_ext", "mha", "--label", "-p", "3") == 0
    assert sorted(os.listdir()) == ["a.mha", "b.mha", "c.mha"]
    assert run("-d", ".", "-s", "mha") == 0
    assert nib.load("a.nii").shape == (2, 2, 4)


def test_a_flag_without_effect_says_so(scans: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("-d", scans, "-n", "2", "-o", tmp_path / "out") == 0
    assert "-n is accepted and not used" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("typed", "overwritten"),
    [
        (["y", "N", "Yes"], "ac"),
        (["n", "a"], "bc"),
        (["", "what", "y", "s"], "a"),
        ([], ""),  # the input ended
    ],
)
def test_what_exists_is_asked_about_at_a_terminal(
    scans: Path, tmp_path: Path, terminal: list[str], typed: list[str], overwritten: str
) -> None:
    (tmp_path / "out").mkdir()
    for name in "abc":
        (tmp_path / f"out/{name}.nii").write_text("old")
    terminal += typed
    assert run("-d", scans, "-o", tmp_path / "out") == 0
    for name in "abc":
        assert ((tmp_path / f"out/{name}.nii").read_bytes() != b"old") == (name in overwritten)


def test_without_a_terminal_what_exists_stays_and_it_is_said(
    scans: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    assert run("-d", scans, "-o", tmp_path / "out") == 0
    before = (tmp_path / "out/a.nii").stat().st_mtime_ns
    assert run("-d", scans, "-o", tmp_path / "out", "-r", "2") == 0
    out = capsys.readouterr().out
    assert f"skipped a.nii: {tmp_path / 'out/a.nii'} exists, and there is no terminal to ask: -f overwrites" in out
    assert (tmp_path / "out/a.nii").stat().st_mtime_ns == before
    assert run("-d", scans, "-o", tmp_path / "out", "-r", "2", "-f") == 0
    assert nib.load(tmp_path / "out/a.nii").shape == (2, 3, 8)


def test_a_failure_ends_with_2_and_a_summary(scans: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (scans / "b.nii").write_text("no scan [at all]")
    assert run("-d", scans, "-o", tmp_path / "out") == 2
    out, err = capsys.readouterr()
    assert (out + err).count("failed b.nii: it is not of the format its name says") == 1
    summary = out.partition("Done")[2]
    assert [line.split()[1:4:2] for line in summary.splitlines() if "converted" in line] == [["converted", "2"]]
    assert "b.nii: it is not of the format its name says" in summary
    assert sorted(os.listdir(tmp_path / "out")) == ["a.nii", "c.nii"]


def test_a_dry_run(scans: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("-d", scans, "-o", tmp_path / "out", "--dry-run") == 0
    out = capsys.readouterr().out
    assert f"planned a.nii -> {tmp_path}/out/a.nii" in out
    assert "Nothing was written (--dry-run)" in out
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--dir"),
        (["-d", "{scans}", "-e", ".dcm"], "-e: DICOM is only read, not written"),
        (["-d", "{scans}", "-s", ".nift"], "did you mean '.nii'?"),
        (["-d", "{scans}", "-r", "1", "2"], "one positive number for all axes, or three (got 1 2)"),
        (["-d", "{scans}", "-r", "-1"], "one positive number for all axes, or three (got -1)"),
        (["-d", "{scans}", "-r", "1mm"], "Invalid value for '-r' / '--res'"),
        (["-d", "{scans}", "-p", "-1"], "-p"),
        (["-d", "{scans}", "-s", ".mha"], "it holds 3 .nii: give -s .nii"),
        (["-d", "{scans}", "--no-force"], "--no-force"),
    ],
)
def test_what_must_be_mended_ends_with_2(
    scans: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert run(*(argument.format(scans=scans) for argument in arguments)) == 2
    out, err = capsys.readouterr()
    assert message in err
    assert out == ""


def test_a_defect_of_ours_ends_with_1(
    scans: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clara_compat.run.dataconvert.conversion.converted", lambda *_: 1 / 0)
    assert run("-d", scans, "-o", tmp_path / "out") == 1
    assert "a defect of clara_compat, not of your files: ZeroDivisionError" in capsys.readouterr().err
