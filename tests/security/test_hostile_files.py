"""Files that are none, that never end, or that are made to fill the memory: each gets its sentence, and soon."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Make = Callable[..., Path]
DEEP = b"[" * 100_000 + b"]" * 100_000


def folder(path: Path) -> None:
    path.mkdir()


def link_to_itself(path: Path) -> None:
    path.symlink_to(path)


def zeros(path: Path) -> None:
    path.symlink_to("/dev/zero")


KINDS = [
    (os.mkfifo, "is a pipe, expected"),
    (zeros, "is a device, expected"),
    (folder, "is a folder, expected"),
    (link_to_itself, "Too many levels of symbolic links|there is no such file|does not exist"),
]


@pytest.mark.parametrize(("make", "message"), KINDS)
def test_a_config_that_is_no_file(hostile_mmar: Make, run: Callable, make: Callable, message: str) -> None:
    mmar = hostile_mmar()
    config = mmar / "config/config_train.json"
    config.unlink()
    make(config)
    relative = "config/config_train.json"
    for command in (
        ("check", config),
        ("preview", config),
        ("train", "-m", mmar),
        ("evaluate", "-m", mmar, "-c", relative),
        ("migrate", "-m", mmar, "-c", relative, "-o", mmar / "bundle"),
        ("infer", config, "-c", config, "-m", mmar),
    ):
        outcome = run(*command)
        assert outcome.code == 2
        assert len(outcome.text) < 400  # one sentence
        assert _says(outcome.text, message)


@pytest.mark.parametrize(("make", "message"), KINDS)
def test_an_environment_that_is_no_file(hostile_mmar: Make, run: Callable, make: Callable, message: str) -> None:
    mmar = hostile_mmar()
    make(mmar / "other.json")
    (mmar / "config/environment.json").unlink()
    make(mmar / "config/environment.json")
    for command in (("check", mmar / "config/config_train.json"), ("train", "-m", mmar)):
        for environment in ((), ("-e", mmar / "other.json")):
            outcome = run(*command, *environment)
            assert outcome.code == 2
            assert _says(outcome.text, message)


@pytest.mark.parametrize(("make", "message"), [*KINDS[:3], (link_to_itself, "cannot be read .Too many levels")])
def test_a_data_list_that_is_no_file(hostile_mmar: Make, run: Callable, make: Callable, message: str) -> None:
    mmar = hostile_mmar()
    make(mmar / "list.json")
    for command in (("check", mmar / "config/config_train.json"), ("train", "-m", mmar), ("preview", _config(mmar))):
        outcome = run(*command, "--set", f"DATASET_JSON={mmar / 'list.json'}")
        assert outcome.code == 2
        assert _says(outcome.text, message)


@pytest.mark.parametrize(
    ("make", "message"),
    [*KINDS[:2], (folder, "is a folder without DICOM files in it"), (link_to_itself, "does not exist")],
)
def test_an_image_that_is_no_file(
    hostile_mmar: Make, run: Callable, small_scans: Path, make: Callable, message: str
) -> None:
    mmar = hostile_mmar()
    make(mmar / "image.nii.gz")
    items = json.loads((small_scans / "dataset.json").read_text())
    items["training"][0]["image"] = str(mmar / "image.nii.gz")
    (mmar / "list.json").write_text(json.dumps(items))
    for command in (("check", _config(mmar)), ("train", "-m", mmar), ("preview", _config(mmar))):
        outcome = run(*command, "--set", f"DATASET_JSON={mmar / 'list.json'}")
        assert outcome.code == 2
        assert _says(outcome.text, message)


@pytest.mark.parametrize("make", [kind for kind, _ in KINDS if kind is not folder])
def test_code_of_the_users_that_is_no_file(hostile_mmar: Make, run: Callable, make: Callable) -> None:
    mmar = hostile_mmar(lambda config: config["train"]["pre_transforms"].append({"path": "mine.Mine"}))
    make(mmar / "mine.py")
    for command in (("check", _config(mmar)), ("train", "-m", mmar)):
        outcome = run(*command)
        assert outcome.code == 2
        assert "the module of 'mine.Mine' was not found" in outcome.text
    assert "there is no such file or folder" in run("lint", mmar / "mine.py").text
    assert "there is no Python file in this folder" in run("lint", mmar).text


@pytest.mark.parametrize(("make", "message"), KINDS[:2])
def test_a_logging_configuration_that_is_no_file(
    hostile_mmar: Make, run: Callable, make: Callable, message: str
) -> None:
    mmar = hostile_mmar()
    make(mmar / "log.config")
    outcome = run("train", "-m", mmar, "-l", mmar / "log.config")
    assert outcome.code == 2
    assert _says(outcome.text, f"the logging configuration {message}")


CONTENTS = [
    (b"", "the file ends too early"),
    (b"\0" * 1000, "not valid JSON at line 1, column 1"),
    ('{"a": 1}'.encode("utf-16"), r"is not UTF-8 text \(byte 1\); save it as UTF-8"),
    (b'{"a": "\xe9"}', r"is not UTF-8 text \(byte 8\)"),
    (b"[1]", "holds a list at the top level"),
    (b"NaN", "holds the value NaN at the top level"),
    (DEEP, "nested too deeply"),
    (b'{"a": ' + DEEP + b"}", "nested too deeply"),
    (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nested too deeply"),
    (b"[" * 5_000_000, "nested too deeply"),
    (b'{"epochs": ' + b"9" * 100_000 + b"}", "holds a whole number of more than 4,300 digits"),
    (b'{"epochs": 1e400}', "'epochs' is inf, expected a whole number"),
    (b'{"epochs": NaN}', "'epochs' is nan, expected a whole number"),
    (b'{"epochs": 1, "x": "\\u0000"}', r"x: holds the character '\\x00', which is no text: remove it"),
    (b'{"epochs": 1, "x": ["\\u001b[2J"]}', r"x\[0\]: holds the character '\\x1b', which is no text"),
    (b'{"epochs": 1, "\\udfff": 1}', r"holds the character '\\udfff', which is no text"),
    (b'{"a": "' + b"x" * 10_000_000 + b'"}', "is larger than 10 MB, too large for a config file"),
    (b'{"a": [' + b"1," * 4_900_000 + b"1]}", "holds more than 100,000 values"),
    (b"{" + b",".join(b'"k%d":1' % i for i in range(700_000)) + b"}", "holds more than 100,000 values"),
    (b"{" + b'"k":1,' * 1_500_000 + b'"k":1}', "holds more than 100,000 values"),
    (b'{"a": "' + b"{" * 9_900_000 + b'"}', "'epochs' is missing"),
    (b'{"a": "' + b"{x" * 4_900_000 + b'"}', "has a brace without its partner"),
    (b'{"x": 1, "a": "' + b"{x}" * 3_200_000 + b'"}', "longer than 1,000,000 characters with its variables put in"),
    (b'{"x": "' + b"y" * 1_000_000 + b'", "a": "' + b"{x}" * 100_000 + b'"}', "longer than 1,000,000 characters"),
    (b"{" + b" " * 9_900_000 + b"x", "not valid JSON at line 1, column 9900002"),
    (b'{"epochs": "' + b"x" * 9_900_000 + b'"}', r"'epochs' is 'x+\.\.\.x+', expected a whole number"),
]


@pytest.mark.parametrize(("content", "message"), CONTENTS, ids=lambda value: repr(value)[:30])
def test_what_a_config_holds(hostile_mmar: Make, run: Callable, content: bytes, message: str) -> None:
    mmar = hostile_mmar(raw=content)
    outcome = run("train", "-m", mmar)
    assert outcome.code == 2
    assert _says(outcome.text, message)
    assert len(outcome.text) < 10_000
    assert not (mmar / "models").exists()


@pytest.mark.parametrize(
    ("content", "message"), [one for one in CONTENTS if len(one[0]) < 300_000 and b"epochs" not in one[0]]
)
def test_what_an_environment_holds(hostile_mmar: Make, run: Callable, content: bytes, message: str) -> None:
    mmar = hostile_mmar()
    (mmar / "config/environment.json").write_bytes(content)
    outcome = run("check", _config(mmar))
    assert outcome.code == 2
    assert _says(outcome.text, f"environment.json.*{message}")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not valid JSON at line 1"),
        (b"\0\0", "not valid JSON at line 1"),
        ('{"training": []}'.encode("utf-16"), "the data list is not UTF-8 text"),
        (b'{"training": ' + DEEP + b"}", "nested too deeply"),
        (b'{"training": ' + b"9" * 100_000 + b"}", r"the data list holds a whole number of more than [\d,]+ digits"),
        (b'{"training": [1]}', r"training\[0\]: expected an item such as"),
        (b'{"training": [{"image": "a\\u0000b", "label": "x"}]}', r"a\\x00b does not exist"),
        (b'{"training": [{"image": "\\ud800", "label": "x"}]}', r"\\ud800 does not exist"),
        (
            b'{"training": [{"image": "' + b"x" * 5_000_000 + b'", "label": "x"}]}',
            r"x+ \.\.\. x+ does not exist|x \.\.\.",
        ),
        (b'{"training": [{"image": {"_target_": "os.system"}, "label": "x"}]}', "does not exist"),
        (b'{"training": [{"image": 1e400, "label": "x"}]}', "does not exist"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_what_a_data_list_holds(hostile_mmar: Make, run: Callable, content: bytes, message: str) -> None:
    mmar = hostile_mmar()
    (mmar / "list.json").write_bytes(content)
    for command in (("check", _config(mmar)), ("train", "-m", mmar), ("preview", _config(mmar))):
        outcome = run(*command, "--set", f"DATASET_JSON={mmar / 'list.json'}")
        assert outcome.code == 2
        assert _says(outcome.text, message)
        assert len(outcome.text) < 30_000


def test_a_data_list_of_many_bytes(
    hostile_mmar: Make, run: Callable, monkeypatch: pytest.MonkeyPatch, small_scans: Path
) -> None:
    monkeypatch.setattr("clara_compat.engine.data.datalist._MAX_BYTES", 100)
    outcome = run("train", "-m", hostile_mmar())
    assert outcome.code == 2
    assert _says(outcome.text, r"dataset.json: is larger than 0 MB, too large for a data list")


@pytest.mark.parametrize("slot", ["pre_transforms", "aux_ops", "handlers", "batch_transforms"])
def test_ten_thousand_components(hostile_mmar: Make, run: Callable, slot: str) -> None:
    def change(config: dict[str, Any]) -> None:
        config["train"][slot] = [{"name": "ScaleShiftIntensity", "args": {"fields": "image"}}] * 10_000

    mmar = hostile_mmar(change)
    for command in (("check", _config(mmar)), ("train", "-m", mmar), ("preview", _config(mmar))):
        outcome = run(*command)
        assert outcome.code == 2
        assert _says(outcome.text, f"train.{slot}: holds 10,000 components, expected at most 1,000")


def test_an_item_that_names_the_whole_disk(tmp_path: Path) -> None:
    from clara_compat.engine.data.disk_cache import item_digest

    first = item_digest({"image": str(tmp_path), "note": "/"})
    assert len(first) == 32
    assert first != item_digest({"image": str(tmp_path), "note": "x"})


def _config(mmar: Path) -> Path:
    return mmar / "config/config_train.json"


def _says(text: str, message: str) -> bool:
    found = re.search(message, " ".join(text.split()))
    assert found, f"expected {message!r} in {text[:1000]}"
    return True
