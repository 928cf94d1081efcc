"""A config at its place in a bundle means the same data from any working folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from monai.bundle import ConfigParser

from clara_compat.run.moved_config import moved
from clara_compat.translate.render import literal


@pytest.fixture
def mmar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "mmar"
    (folder / "config").mkdir(parents=True)
    (folder / "config/list.json").write_text("{}")
    (tmp_path / "outside.json").write_text("{}")
    (folder / "config/link.json").symlink_to(tmp_path / "outside.json")
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("/data/list.json", "/data/list.json"),
        ("lists/a.json", "{here}/lists/a.json"),
        ("a#b$c@d%e.json", "{here}/a#b$c@d%e.json"),
        ("{here}/mmar/config/list.json", "./config/list.json"),
        ("mmar/config/list.json", "./config/list.json"),
        ("{here}/mmar/config/link.json", "{here}/mmar/config/link.json"),
        ("{here}/mmar/config/absent.json", "{here}/mmar/config/absent.json"),
        ("mmar/../outside.json", "{here}/outside.json"),
    ],
)
@pytest.mark.parametrize("place", ["DATASET_JSON", "train#data#data_list_file_path", "data#data_list_file_path"])
def test_a_data_list(mmar: Path, tmp_path: Path, place: str, given: str, expected: str) -> None:
    text = literal(given.format(here=tmp_path))
    own = {"data_list_file_path": text, "base_dir": "@DATA_ROOT"}
    config: dict[str, Any] = {
        "bundle_root": str(mmar),
        "DATA_ROOT": "/data",
        "DATASET_JSON": text,
        "train": {"data": own, "n": 1},
        "data": own,
    }
    found = ConfigParser(moved(config, mmar, [mmar / "models"], has_code=False))
    assert found.get_parsed_content(place) == expected.format(here=tmp_path)
    assert found.get_parsed_content("data#base_dir") == "/data"
    assert found.get_parsed_content("train#n") == 1


def test_without_data_root_relative_paths_of_the_list_start_from_the_working_folder(mmar: Path, tmp_path: Path) -> None:
    config = {"bundle_root": str(mmar), "DATA_ROOT": "", "DATASET_JSON": "/data/x.json"}
    assert moved(config, mmar, [], has_code=False)["DATA_ROOT"] == str(tmp_path)
    unset = {**config, "DATASET_JSON": ""}
    assert moved(unset, mmar, [], has_code=False) == {**unset, "bundle_root": ".", "user_code": []}


def test_folders_are_those_of_the_bundle(mmar: Path) -> None:
    config = {"bundle_root": str(mmar), "ckpt_dir": "/models", "output_dir": "/eval", "user_code": ["/a", "/b"]}
    assert moved(config, mmar, [], has_code=True) == {
        "bundle_root": ".",
        "ckpt_dir": "$@bundle_root + '/models'",
        "output_dir": "$@bundle_root + '/eval'",
        "user_code": ["$@bundle_root + '/scripts'"],
    }
    assert config["bundle_root"] == str(mmar)
