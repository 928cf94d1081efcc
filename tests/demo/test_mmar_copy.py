"""Copies of the shipped MMARs: whole, and never over what somebody else wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from clara_compat.demo import mmar
from clara_compat.errors import ClaraError


def test_prepare_makes_a_complete_mmar(tmp_path: Path) -> None:
    folder = mmar.prepare_mmar(tmp_path / "new" / "demo")
    for name in ("config/config_train.json", "resources/log.config", "custom/randomGamma.py", "docs/Readme.md"):
        assert (folder / name).is_file(), name
    assert (folder / "commands/train.sh").stat().st_mode & 0o111
    assert not (folder / "custom/__pycache__").exists()


def test_prepare_fills_an_empty_or_own_folder_again(tmp_path: Path) -> None:
    folder = mmar.prepare_mmar(tmp_path)
    config = folder / "config/config_train.json"
    original = config.read_text()
    config.write_text("{}")
    (folder / "models").mkdir(exist_ok=True)
    (folder / "models/mine.pt").write_text("kept")
    assert mmar.prepare_mmar(tmp_path) == folder
    assert config.read_text() == original
    assert (folder / "config/config_train.json.bak").read_text() == "{}"
    assert [path.name for path in folder.rglob("*.bak")] == ["config_train.json.bak"]
    assert (folder / "models/mine.pt").read_text() == "kept"


def test_a_foreign_folder_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(ClaraError, match="holds files that the demo did not make: name a new or an empty folder"):
        mmar.prepare_mmar(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ClaraError, match="is a file, expected a folder"):
        mmar.prepare_mmar(tmp_path / "file")


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ClaraError, match="cannot write into"):
        mmar.prepare_mmar(tmp_path / "file" / "demo")


def test_the_installed_mmar_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = tmp_path / "clara_compat/demo/mmar.py"
    monkeypatch.setattr(mmar, "__file__", str(module))
    with pytest.raises(ClaraError, match="missing from the installation"):
        mmar.demo_mmar_folder()
    (tmp_path / "configs/demo_mmar").mkdir(parents=True)
    assert mmar.demo_mmar_folder() == tmp_path / "configs/demo_mmar"
    (tmp_path / "clara_compat/resources/demo_mmar").mkdir(parents=True)
    assert mmar.demo_mmar_folder() == tmp_path / "clara_compat/resources/demo_mmar"


@pytest.mark.parametrize("name", ["demo_classification_2d", "demo_classification_3d"])
def test_other_mmars_are_copied_by_their_names(tmp_path: Path, name: str) -> None:
    folder = mmar.prepare_mmar(tmp_path, name)
    original = mmar.demo_mmar_folder(name)
    assert (folder / "config/config_train.json").read_text() == (original / "config/config_train.json").read_text()
    assert (folder / "commands/validate.sh").stat().st_mode & 0o111


def test_the_demo_of_another_task_is_not_mixed_in(tmp_path: Path) -> None:
    mmar.prepare_mmar(tmp_path)
    with pytest.raises(ClaraError, match="holds the demo of another task: name a new or an empty folder"):
        mmar.prepare_mmar(tmp_path, "demo_classification_2d")


def test_a_folder_of_the_first_demo_is_known(tmp_path: Path) -> None:
    (tmp_path / ".made_by_clara_compat_demo").write_text("The clara-compat demo may overwrite this folder.\n")
    assert mmar.prepare_mmar(tmp_path) == tmp_path
