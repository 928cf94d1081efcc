"""What is at a path, also at one that no file system takes."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from clara_compat.common.files import impossible, is_file, is_folder, replacing


@pytest.mark.parametrize("name", ["n" * 300, "a/" * 3000, "nul\0l"])
def test_nothing_is_at_a_path_that_no_file_system_takes(tmp_path: Path, name: str) -> None:
    assert not is_file(tmp_path / name)
    assert not is_folder(tmp_path / name)
    assert impossible(tmp_path / name) == (
        "it holds a character that is none" if "\0" in name else os.strerror(errno.ENAMETOOLONG)
    )


def test_what_is_there_and_what_can_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert is_file(tmp_path / "file")
    assert not is_folder(tmp_path / "file")
    assert is_folder(tmp_path)
    for name in (".", "file", "new", "new/below", "file/below"):
        assert impossible(tmp_path / name) is None


def test_a_loop_of_links_is_no_place(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert impossible(tmp_path / "loop") == "Too many levels of symbolic links"


def test_the_name_is_on_the_disk_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a power failure a renamed file is only there when its folder has been flushed after that."""
    flushed = []

    def note(handle: int) -> None:
        flushed.append((stat.S_ISDIR(os.fstat(handle).st_mode), (tmp_path / "file").exists()))

    monkeypatch.setattr("os.fsync", note)
    with replacing(tmp_path / "file") as stream:
        stream.write(b"1")
    assert flushed == [(False, False), (True, True)]
