from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clara_compat.config.paths import format_path, parse_path
from clara_compat.errors import ClaraError

PATHS = st.lists(st.one_of(st.text(max_size=12), st.integers(0, 10**9 - 1)), max_size=6).map(tuple)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), ""),
        (("epochs",), "epochs"),
        (("train", "pre_transforms", 3, "args", "size"), "train.pre_transforms[3].args.size"),
        (("a", 0, 1, "b"), "a[0][1].b"),
        ((2, "x"), "[2].x"),
        (("a.b", "c[0]"), '["a.b"]["c[0]"]'),
        (("a", ""), 'a[""]'),
        (("a", "3"), "a.3"),
        (("___search", "my-key", "Größe"), "___search.my-key.Größe"),
        (("K=V",), '["K\\u003dV"]'),
        (('say "hi"',), '["say \\"hi\\""]'),
    ],
)
def test_written_form(path, text):
    assert format_path(path) == text
    assert parse_path(text) == path


@given(PATHS)
def test_round_trip(path):
    text = format_path(path)
    assert parse_path(text) == path
    assert "=" not in text


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("train.", "the end"),
        (".train", r"'\.' at character 1"),
        ("train..loss", r"'\.' at character 7"),
        ("train[", r"'\[' at character 6"),
        ("train[x]", r"'\[' at character 6"),
        ("train[-1]", r"'\[' at character 6"),
        ("train[1]loss", "'l' at character 9"),
        ("train]", r"'\]' at character 6"),
        ('a["b', r"'\[' at character 2"),
    ],
)
def test_not_a_path(text, found):
    with pytest.raises(ClaraError, match=f"not a path into the config: did not expect {found}; write keys with dots"):
        parse_path(text)


def test_bad_quoted_key():
    with pytest.raises(ClaraError, match="is not a JSON string"):
        parse_path(r'a["\q"]')
