"""Clara's data lists, read as they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from clara_compat.engine.data.datalist import describe, load_datalist
from clara_compat.errors import ClaraError


def write(folder: Path, content: Any) -> Path:
    path = folder / "dataset.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_paths_are_joined_and_other_values_left(tmp_path: Path) -> None:
    (tmp_path / "mask.nii").touch()
    item = {"image": ["a.nii", "/abs/b.nii"], "label": [0, 1], "mask": "mask.nii", "id": "case 3", "age": 61}
    loaded = load_datalist(write(tmp_path, {"training": [item], "name": "x"}), "training", tmp_path)
    assert loaded == [
        {
            "image": [str(tmp_path / "a.nii"), "/abs/b.nii"],
            "label": [0, 1],
            "mask": str(tmp_path / "mask.nii"),
            "id": "case 3",
            "age": 61,
        }
    ]


def test_items_are_repeated_and_bare_strings_are_images(tmp_path: Path) -> None:
    path = write(tmp_path, {"test": ["a#1.nii", "b.nii"]})
    assert [item["image"] for item in load_datalist(path, "test", "/d", 2)] == 2 * ["/d/a#1.nii"] + 2 * ["/d/b.nii"]


def test_an_item_is_described_by_its_files() -> None:
    assert describe({"image": "a.nii", "label": "b.nii", "age": 3}) == "image a.nii, label b.nii"


@pytest.mark.parametrize(
    ("content", "key", "message"),
    [
        ({"training": [{"image": "a"}]}, "trainng", r"no list 'trainng' in this data list; did you mean 'training'\?"),
        ({"training": []}, "training", "training: expected a list with at least one item"),
        ({"training": [3]}, "training", r"training\[0\]: expected an item such as"),
        ("{\n 'a': 1}", "training", r"dataset\.json:2: not valid JSON at line 2, column 2"),
        ("[]", "training", "expected an object with named lists"),
    ],
)
def test_errors(tmp_path: Path, content: Any, key: str, message: str) -> None:
    with pytest.raises(ClaraError, match=message):
        load_datalist(write(tmp_path, content), key)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(ClaraError, match="the data list file does not exist: check DATASET_JSON"):
        load_datalist(tmp_path / "none.json", "training")
    (tmp_path / "file").touch()
    with pytest.raises(ClaraError, match=r"the data list cannot be read \(Not a directory\): check DATASET_JSON"):
        load_datalist(tmp_path / "file" / "dataset.json", "training")
    with pytest.raises(ClaraError, match="the data list is a folder"):
        load_datalist(tmp_path, "training")
    with pytest.raises(ClaraError, match=r"the data list cannot be read \(File name too long\): check DATASET_JSON"):
        load_datalist(tmp_path / ("n" * 300), "training")
    with pytest.raises(ClaraError, match=r"cannot be read \(it holds a character that is none\): check DATASET_JSON"):
        load_datalist(tmp_path / "a\0b", "training")
