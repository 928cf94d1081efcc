"""The folder of a bundle: whole or not there, and nothing of elsewhere in it."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Any

import pytest

from clara_compat.errors import ClaraError
from clara_compat.run.bundle_folder import (
    bring_files,
    bring_scripts,
    bring_weights,
    left_behind,
    licence_of,
    new_folder,
)
from clara_compat.translate.places import Places
from clara_compat.translate.render import render


def configs_naming(mmar: Path, *below: str) -> list[dict[str, Any]]:
    """Return a config that names files of the MMAR as the translation writes them."""
    places = Places({"bundle_root": str(mmar)})
    return [{"a": {"files": [render(places.placed(f"{mmar}/{one}")) for one in below]}, "n": 1}]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_after_an_error_nothing_is_left(tmp_path: Path, error: type[BaseException]) -> None:
    def fill() -> None:
        with new_folder(tmp_path / "deep/bundle") as filling:
            (filling / "half.txt").write_text("half")
            raise error

    with pytest.raises(error):
        fill()
    assert list((tmp_path / "deep").iterdir()) == []


@pytest.mark.parametrize("exists", [False, True])
def test_it_is_there_when_it_is_whole(tmp_path: Path, exists: bool) -> None:
    folder = tmp_path / "bundle"
    if exists:
        folder.mkdir()
    with new_folder(folder) as filling:
        (filling / "x").write_text("x")
        assert not folder.exists()
        assert filling.parent == folder.parent  # the same file system, so that it can be renamed
    assert [file.name for file in tmp_path.rglob("*")] == ["bundle", "x"]
    assert folder.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("kind", ["file", "full", "dangling"])
def test_nothing_is_overwritten(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "bundle"
    if kind == "file":
        folder.write_text("mine")
    elif kind == "full":
        folder.mkdir()
        (folder / "mine").write_text("mine")
    else:
        folder.symlink_to(tmp_path / "nowhere")
    with pytest.raises(ClaraError, match="bundle' exists already: name a new folder for the bundle with -o"):
        new_folder(folder).__enter__()
    assert os.path.lexists(folder)


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ClaraError, match=r"the bundle '.*file/bundle' cannot be written: .*; name another with -o"):
        new_folder(tmp_path / "file/bundle").__enter__()


def test_all_files_of_a_tensorflow_checkpoint_come_along(tmp_path: Path) -> None:
    there, here = tmp_path / "there", tmp_path / "here"
    there.mkdir()
    names = ("model.ckpt.index", "model.ckpt.data-00000-of-00001", "model.ckpt.meta", "model.pt", "model_2.ckpt.index")
    for name in names:
        (there / name).write_text(name)
    with zipfile.ZipFile(there / "model.pt", "w") as file:  # as torch.save writes
        file.writestr("data.pkl", b"")
    bring_weights({"start/model.ckpt.index": there / names[0], "model.pt": there / "model.pt"}, here)
    found = sorted(file.relative_to(here).as_posix() for file in here.rglob("*") if file.is_file())
    assert found == ["model.pt", *sorted(f"start/{name}" for name in names[:3])]
    assert (here / "start/model.ckpt.meta").read_text() == "model.ckpt.meta"


def test_what_is_no_file_of_weights_stays(tmp_path: Path) -> None:
    (tmp_path / "model.pt").write_text("private")
    with pytest.raises(ClaraError, match=r"model.pt' is no file of weights that torch wrote: it does not go into a"):
        bring_weights({"model.pt": tmp_path / "model.pt"}, tmp_path / "models")
    assert list((tmp_path / "models").iterdir()) == []


def test_scripts_lie_as_they_are_imported(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text("x = 1\n")
    bring_scripts({Path("deep/y.py"): tmp_path / "x.py"}, tmp_path / "scripts")
    assert (tmp_path / "scripts/deep/y.py").read_text() == "x = 1\n"
    bring_scripts({}, tmp_path / "none")
    assert not (tmp_path / "none").exists()


@pytest.fixture
def mmar(tmp_path: Path) -> Path:
    folder = tmp_path / "mmar"
    for name in ("config/list.json", "config/odd #1 'a'.json", "models/model.pt", "atlas/a.nii", "eval/old.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (folder / "empty").mkdir()
    (tmp_path / "private").write_text("private")
    (folder / "link.json").symlink_to(tmp_path / "private")
    (folder / "near.json").symlink_to(folder / "config/list.json")
    (folder / "out").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe")
    return folder


@pytest.mark.parametrize(
    ("below", "copied", "told"),
    [
        ("config/list.json", True, False),
        ("config/odd #1 'a'.json", True, False),
        ("near.json", True, False),
        ("link.json", False, True),
        ("out/private", False, True),
        ("../private", False, True),
        ("config/../near.json", False, True),
        ("atlas", False, True),
        ("atlas/a.nii", True, False),
        ("models/model.pt", False, False),
        ("eval", False, False),
        ("empty", False, False),
        ("absent.json", False, False),
        ("pipe", False, False),
    ],
)
def test_which_files_come_along(mmar: Path, tmp_path: Path, below: str, copied: bool, told: bool) -> None:
    configs, outputs = configs_naming(mmar, below), [mmar / "models", mmar / "eval"]
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    assert bring_files(configs, mmar, bundle, outputs=outputs) == ([below] if copied else [])
    assert left_behind(configs, mmar, outputs=outputs) == ([below] if told else [])
    assert [file.read_text() for file in bundle.rglob("*") if file.is_file()] == (
        [(mmar / below).read_text()] if copied else []
    )


def test_a_text_of_another_entry_is_no_file(mmar: Path, tmp_path: Path) -> None:
    configs = [{"a": "$@ckpt_dir + '/config/list.json'", "b": "/config/list.json", "c": "$@bundle_root + str(1)"}]
    assert bring_files(configs, mmar, tmp_path / "bundle", outputs=[]) == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [("LICENSE", "free"), ("LICENCE", "free"), ("docs/license.txt", "free"), ("COPYING", "")],
)
def test_the_licence_is_taken_over(tmp_path: Path, name: str, expected: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("free")
    assert licence_of(tmp_path) == expected


def test_a_licence_of_elsewhere_or_of_a_gigabyte_is_none(tmp_path: Path) -> None:
    mmar = tmp_path / "mmar"
    mmar.mkdir()
    (tmp_path / "private").write_text("private")
    (mmar / "LICENSE").symlink_to(tmp_path / "private")
    os.mkfifo(mmar / "LICENSE.txt")
    with (mmar / "LICENCE").open("wb") as stream:
        stream.truncate(2**30)
    assert licence_of(mmar) == ""
    (mmar / "license.txt").write_bytes(b"free \xff")
    assert licence_of(mmar) == "free \N{REPLACEMENT CHARACTER}"
