"""A data set is made once, completed after an interruption and made again when something of it changed."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest

from clara_compat.demo.dataset import Case, checked_counts, make_dataset


def _cases(written: list[str], *, fail_at: str = "") -> list[Case]:
    def write(image: Path, mask: Path, *, name: str) -> None:
        image.write_text(name)
        if name == fail_at:
            raise OSError("disk full")
        mask.write_text(name)
        written.append(name)

    cases = []
    for split, name in (("training", "a"), ("training", "b"), ("testing", "c")):
        files = [f"x/{name}.txt", f"y/{name}.txt"]
        cases.append(Case(split, {"image": files[0], "label": [1]}, files, partial(write, name=name)))
    return cases


def test_lists_and_numbers(tmp_path: Path) -> None:
    path = make_dataset(tmp_path / "new", _cases([]), {"version": 1}, {"name": "three"})
    assert json.loads(path.read_text()) == {
        "name": "three",
        "numTraining": 2,
        "numTest": 1,
        "training": [{"image": "x/a.txt", "label": [1]}, {"image": "x/b.txt", "label": [1]}],
        "validation": [],
        "testing": [{"image": "x/c.txt", "label": [1]}],
    }


def test_made_once_completed_and_made_again(tmp_path: Path) -> None:
    written: list[str] = []
    with pytest.raises(OSError, match="disk full"):
        make_dataset(tmp_path, _cases(written, fail_at="b"), {"version": 1}, {})
    assert written == ["a"]
    assert not (tmp_path / "x/b.txt").exists(), "a file appears whole or not at all"
    assert not (tmp_path / "dataset.json").exists()
    make_dataset(tmp_path, _cases(written), {"version": 1}, {})
    assert written == ["a", "b", "c"]
    make_dataset(tmp_path, _cases(written), {"version": 1}, {})
    assert written == ["a", "b", "c"]
    make_dataset(tmp_path, _cases(written), {"version": 2}, {})
    assert written == ["a", "b", "c"] * 2
    assert {file.name for file in (tmp_path / "x").iterdir() if file.name.endswith(".txt") and file.name[0] != "."} == {
        "a.txt", "b.txt", "c.txt",
    }  # fmt: skip


def test_numbers_of_cases() -> None:
    assert checked_counts(1, 0, 2) == {"training": 1, "validation": 0, "testing": 2}
    for counts in ((-1, 0, 1), (0, 0, 0)):
        with pytest.raises(ValueError, match="at least 0 and not all 0"):
            checked_counts(*counts)
