"""Paths of a config start from the entries at its top, and mean the same as before."""

from __future__ import annotations

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from monai.bundle import ConfigParser

from clara_compat.components.entry import Entry, Expression
from clara_compat.translate.places import Places, unplaced
from clara_compat.translate.render import literal, render

PATHS = {"bundle_root": "/mmar", "ckpt_dir": "/mmar/models", "DATA_ROOT": "/data", "DATASET_JSON": "/data/list.json"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/mmar/models", "@ckpt_dir"),
        ("/mmar/models/debug", "$@ckpt_dir + '/debug'"),
        ("/mmar/config/x.json", "$@bundle_root + '/config/x.json'"),
        ("/data/list.json", "@DATASET_JSON"),
        ("/database", "/database"),
        ("mmar", "mmar"),
        ("/mmar/it's", '$@bundle_root + "/it\'s"'),
        ("/mmar/a#b@c$d%e", r"$@bundle_root + '/a\x23b\x40c\x24d\x25e'"),
    ],
)
def test_the_longest_place_is_taken(text: str, expected: str) -> None:
    assert render(Places(PATHS).placed(text)) == expected


def test_places_are_found_at_any_depth_and_expressions_are_left() -> None:
    entry = Entry("X", args={"folder": ["/data/a"]}, ref=Expression("$'/data/b'"), odd={"#": "/data/c"})
    assert render(Places(PATHS).placed(entry)) == {
        "_target_": "X",
        "args": {"folder": ["$@DATA_ROOT + '/a'"]},
        "ref": "$'/data/b'",
        "odd": r"${'\x23': '/data/c'}",
    }


@pytest.mark.parametrize("path", ["", "/", "data", "."])
def test_no_place_is_looked_for_that_would_be_found_anywhere(path: str) -> None:
    assert Places({"DATA_ROOT": path}).placed("data/x") == "data/x"
    assert Places({"DATA_ROOT": path}).placed("/x") == "/x"


def test_a_data_list_is_taken_from_the_top_also_when_relative() -> None:
    places = Places({"DATA_ROOT": "data", "DATASET_JSON": "lists/a.json"})
    given = {"data_list_key": "training", "duplicate_count": 1}
    listed = places.listed(Entry("f", data_list_file_path="lists/a.json", base_dir="data", **given))
    assert listed.arguments == {"data_list_file_path": "@DATASET_JSON", "base_dir": "@dataset_dir", **given}
    other = Entry("f", data_list_file_path="lists/b.json", base_dir="", **given)
    assert places.listed(other) == other


@given(st.text(), st.text(alphabet="/ab#@$%:'\"\\{}\n", max_size=8))
def test_what_is_placed_means_the_same_path(name: str, rest: str) -> None:
    paths = {"ckpt_dir": f"/mmar/{name}"}
    text = f"/mmar/{name}/{rest}"
    config = {"ckpt_dir": literal(paths["ckpt_dir"]), "file": render(Places(paths).placed(text))}
    config = json.loads(json.dumps(config))
    found = [ConfigParser(dict(config)).get_parsed_content("file")]
    found.append(ConfigParser({"x": unplaced(config["file"], config)}).get_parsed_content("x"))
    for path in found:  # a place that ends in a slash gets a second one
        assert os.path.normpath(path) == os.path.normpath(text)


def test_a_strangers_file_puts_in_texts_and_numbers_only() -> None:
    top = {"a": "$print('run')", "b": [1], "n": 3, "f": "$'/x\\x23'", "g": "@n"}
    kept = ["$@a + '/x'", "@b", "@g", "$@b + '/x'", "$@n + '/x'", "@missing", "$1 + 1", "$@a + str(1)"]
    assert unplaced(kept, top) == kept
    assert unplaced({"x": ["@n", "$@f + '/y'"]}, top) == {"x": [3, r"$'/x\x23/y'"]}
