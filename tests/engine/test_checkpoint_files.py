"""Checkpoints: whole files are read, all others are noticed."""

from __future__ import annotations

import hashlib
import io
import logging
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from clara_compat.common.files import replacing
from clara_compat.engine.checkpoint_files import read_checkpoint, write_checkpoint
from clara_compat.engine.sealed_file import check_seal, write_sealed
from clara_compat.errors import ClaraError

NAMES = ("checkpoint.pt", "checkpoint_previous.pt")


def content(steps: int) -> dict[str, Any]:
    return {
        "network": {"weight": torch.arange(2000.0) * steps},
        "optimizer": {"state": {}},
        "trainer": {"iteration": steps, "epoch_length": 4},
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder in which two checkpoints were written, after steps 1 and 2."""
    for steps in (1, 2):
        write_checkpoint(content(steps), tmp_path)
    return tmp_path


def steps_in(folder: Path) -> int:
    found = read_checkpoint(folder)
    assert found is not None
    return int(found.content["trainer"]["iteration"])


def test_the_last_one_is_read_and_the_one_before_is_there(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == sorted(NAMES)
    assert steps_in(folder) == 2
    (folder / NAMES[0]).unlink()  # a process that ended between the two renames
    assert steps_in(folder) == 1


def test_other_programs_read_the_file_as_ever(folder: Path) -> None:
    path = folder / NAMES[0]
    assert torch.equal(torch.load(path, weights_only=True)["network"]["weight"], torch.arange(2000.0) * 2)
    assert torch.load(path, weights_only=True, mmap=True)["trainer"]["iteration"] == 2
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        name, kind, digest = archive.comment.decode().split()
    assert (name, kind) == ("clara_compat", "sha256")
    assert digest == hashlib.sha256(path.read_bytes()[: -len(f"{name} {kind} {digest}")]).hexdigest()


@pytest.mark.parametrize("part", np.linspace(0, 0.999, 25))
def test_a_torn_file(folder: Path, part: float, caplog: pytest.LogCaptureFixture) -> None:
    path = folder / NAMES[0]
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * part)])
    assert steps_in(folder) == 1
    assert re.search(rf"{path} is damaged \(it.*\): going on from {folder / NAMES[1]}, which was written", caplog.text)
    assert f"the damaged file is kept as {folder / 'checkpoint_damaged.pt'}" in caplog.text
    assert not path.exists()
    assert (folder / "checkpoint_damaged.pt").read_bytes() == whole[: int(len(whole) * part)]
    write_checkpoint(content(3), folder)
    assert steps_in(folder) == 3
    (folder / NAMES[0]).unlink()
    assert steps_in(folder) == 1, "the damaged file did not take the place of the whole one"


def test_any_flipped_byte(folder: Path) -> None:
    path = folder / NAMES[0]
    whole = path.read_bytes()
    generator = np.random.default_rng(0)
    places = [*generator.choice(len(whole), 40, replace=False), *range(len(whole) - 110, len(whole), 7)]
    for place in places:
        changed = bytearray(whole)
        changed[place] ^= 1 << int(generator.integers(8))
        path.write_bytes(changed)
        assert steps_in(folder) == 1, f"byte {place} of {len(whole)}"


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda path: path.write_bytes(b""), "cut off, or no file of torch"),
        (lambda path: path.write_bytes(path.read_bytes()[:-1] + b"?"), "its checksum is wrong"),
        (lambda path: torch.save({"format": 2, **content(9)}, path), "its checksum is missing"),
        (lambda path: torch.save({"network": {}}, path), "it holds no training"),
        (lambda path: torch.save([1], path), "it holds no training"),
        (lambda path: torch.save({**content(1), "trainer": {"iteration": 1, "epoch_length": 0}}, path), "no training"),
        (lambda path: (path.unlink(), path.mkdir()), "Is a directory"),
        (lambda path: torch.save(content, path), "no file of torch"),
    ],
)
def test_what_is_said_when_both_are_damaged(folder: Path, damage: Any, told: str) -> None:
    for name in NAMES:
        damage(folder / name)
    with pytest.raises(
        ClaraError, match=rf"checkpoint.pt \(.*{told}\) and checkpoint_previous.pt.*damaged; train anew"
    ):
        read_checkpoint(folder)
    assert (folder / NAMES[0]).exists()


def test_another_process_has_put_the_damaged_file_aside(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several processes of a training read the same folder at the same time."""
    (folder / NAMES[0]).write_bytes(b"torn")

    def check(path: Path) -> bool | None:
        found = check_seal(path)
        if path.name == NAMES[0]:
            path.rename(folder / "checkpoint_damaged.pt")
        return found

    monkeypatch.setattr("clara_compat.engine.checkpoint_files.check_seal", check)
    assert steps_in(folder) == 1
    assert (folder / "checkpoint_damaged.pt").read_bytes() == b"torn"


def test_nothing_there_is_no_error(tmp_path: Path) -> None:
    assert read_checkpoint(tmp_path / "none") is None


def test_a_look_without_values_changes_nothing(folder: Path) -> None:
    (folder / NAMES[0]).write_bytes(b"torn")
    found = read_checkpoint(folder, values=False)
    assert found is not None
    assert found.content["network"]["weight"].is_meta
    assert found.content["trainer"]["iteration"] == 1
    assert (folder / NAMES[0]).read_bytes() == b"torn"


def test_the_format_of_before_is_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    torch.save(content(5), tmp_path / NAMES[0])
    assert check_seal(tmp_path / NAMES[0]) is None
    with caplog.at_level(logging.WARNING):
        assert steps_in(tmp_path) == 5
    assert not caplog.text


@pytest.mark.parametrize("moment", ["flush", "save"])
def test_a_disk_that_fails_leaves_both(folder: Path, monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def fail(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync" if moment == "flush" else "torch.save", fail)
        with pytest.raises(OSError, match="No space left"):
            write_checkpoint(content(3), folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_an_old_file_is_kept_under_its_name(tmp_path: Path) -> None:
    for text in (b"1", b"2", b"3"):
        with replacing(tmp_path / "file", kept=tmp_path / "before") as stream:
            stream.write(text)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"file": b"3", "before": b"2"}


def test_what_is_no_zip_file_cannot_be_sealed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.save", lambda _, stream: stream.write(b"a pickle, as torch wrote before 1.6"))
    with pytest.raises(RuntimeError, match="torch.save did not write a zip file: a checkpoint cannot have a checksum"):
        write_sealed(content(1), io.BytesIO())
