"""Data of strangers survive MONAI's ConfigParser as data."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from monai.bundle import ConfigParser

from clara_compat.components.entry import Entry, Expression
from clara_compat.errors import ClaraError
from clara_compat.translate.render import literal, render

SPICY = st.text(st.sampled_from("ab_$@%#:'\"\\{}. \n"), max_size=12)
DATA = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False) | SPICY | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(SPICY | st.sampled_from(["_target_", "a"]), inner, max_size=3)
    ),
    max_leaves=8,
)


def parsed(rendered: object) -> object:
    """What ConfigParser makes of it after a trip through a JSON file."""
    parser = ConfigParser(json.loads(json.dumps({"entry": {"_target_": "builtins.dict", "value": rendered}})))
    return parser.get_parsed_content("entry")["value"]


@given(DATA)
def test_any_data_comes_back_unchanged(value: object) -> None:
    assert parsed(literal(value)) == value


@pytest.mark.parametrize(
    "text",
    [
        "/data/case#1/image.nii.gz",
        "$__import__('os').system('true')",
        "@network",
        "%/etc/hostname.json",
        "a::b",
        "100%",
        "$",
    ],
)
def test_strings_that_mean_something_to_config_parser_stay_text(text: str) -> None:
    assert parsed(literal(text)) == text


def test_an_executable_mapping_stays_a_mapping(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    value = {"_target_": "pathlib.Path.touch", "self": str(victim), "nested": [{"_requires_": "$1/0"}]}
    assert parsed(literal(value)) == value
    assert not victim.exists()


def test_readable_values_stay_readable() -> None:
    assert literal({"fields": ["image"], "size": (64, 64), "p": 0.5}) == {
        "fields": ["image"],
        "size": [64, 64],
        "p": 0.5,
    }


def test_not_a_number_survives() -> None:
    assert math.isnan(parsed(literal(float("nan"))))


def test_entries_and_expressions_are_written_as_such() -> None:
    entry = Entry("Compose", transforms=[Entry("Identityd", keys=["@label"])], other=Expression("@network"))
    assert render(entry) == {
        "_target_": "Compose",
        "transforms": [{"_target_": "Identityd", "keys": [r"$'\x40label'"]}],
        "other": "@network",
    }


def test_what_is_not_data_is_refused() -> None:
    with pytest.raises(ClaraError, match="a value of type object cannot stand in a config"):
        literal(object())


@pytest.mark.parametrize("name", ["_target_", "_mode_", "_requires_", "a::b", "a b"])
def test_no_argument_replaces_what_is_run(name: str) -> None:
    with pytest.raises(ClaraError, match="cannot be the name of an argument"):
        render(Entry("builtins.dict", **{name: "os.system"}))


def test_an_argument_may_be_called_target() -> None:
    assert render(Entry("builtins.dict", target=1, self=2)) == {"_target_": "builtins.dict", "target": 1, "self": 2}
