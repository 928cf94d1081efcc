from __future__ import annotations

import json
import math
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clara_compat.config import positions
from clara_compat.config.positions import read_json
from clara_compat.errors import Address, ClaraError

NO_TEXT = [chr(code) for code in (*range(9), 11, 12, *range(14, 32), 127)]
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=NO_TEXT), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=25,
)


def lines_of(data, text, indent):
    """Line of every path of ``data`` dumped with ``indent``: an independent count over the dump of each part."""
    found = {(): 1}

    def walk(value, path, line):
        """``line`` is where the value begins; return the line where it ends."""
        if not isinstance(value, (dict, list)) or not value or indent is None:
            if isinstance(value, (dict, list)):
                for key, item in value.items() if isinstance(value, dict) else enumerate(value):
                    found[(*path, key)] = line
                    walk(item, (*path, key), line)
            return line
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            line += 1
            found[(*path, key)] = line
            line = walk(item, (*path, key), line)
        return line + 1

    assert walk(data, (), 1) == text.count("\n") + 1
    return found


@given(
    st.dictionaries(TEXTS, VALUES, max_size=5),
    st.sampled_from([None, 0, 1, 2, "\t"]),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
def test_data_and_lines(tmp_path, data, indent, newline, ascii_only):
    text = json.dumps(data, indent=indent, ensure_ascii=ascii_only)
    file = tmp_path / "any.json"
    file.write_bytes(text.replace("\n", newline).encode())
    document = read_json(file)
    assert document.data == json.loads(text)
    for path, line in lines_of(data, text, indent).items():
        assert document.address(*path).line == line, path


@given(st.text(alphabet='{}[]",:truefalsn01.e- \n\\', max_size=30))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
def test_same_grammar_and_position_as_the_standard_library(tmp_path, text):
    file = tmp_path / "any.json"
    file.write_text(text)
    try:
        expected = json.loads(text)
    except json.JSONDecodeError as error:
        expected, line, column, message = None, error.lineno, error.colno, error.msg
        with pytest.raises(ClaraError, match=re.escape(f"at line {line}, column {column}: {message}")) as raised:
            read_json(file)
        assert raised.value.address.line == line
        return
    if isinstance(expected, dict):
        assert read_json(file).data == expected
    else:
        with pytest.raises(ClaraError, match="at the top level, expected an object"):
            read_json(file)


def read(tmp_path, text):
    file = tmp_path / "config.json"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_json(file, shown="config.json")


EXAMPLE = """{
  "epochs": 3,
  "train": {
    "pre_transforms": [
      {"name": "LoadNifti"}, {"name": "Crop",
       "args": {
         "size":
           [64, 64]
       }}
    ]}
}"""


@pytest.mark.parametrize(
    ("path", "line", "written"),
    [
        ((), 1, ""),
        (("epochs",), 2, "epochs"),
        (("train", "pre_transforms", 0), 5, "train.pre_transforms[0]"),
        (("train", "pre_transforms", 1, "name"), 5, "train.pre_transforms[1].name"),
        (("train", "pre_transforms", 1, "args", "size"), 7, "train.pre_transforms[1].args.size"),
        (("train", "pre_transforms", 1, "args", "size", 1), 8, "train.pre_transforms[1].args.size[1]"),
        (("train", "pre_transforms", 1, "args", "pos"), 6, "train.pre_transforms[1].args.pos"),
        (("train", "pre_transforms", 7, "args"), 4, "train.pre_transforms[7].args"),
        (("validate",), 1, "validate"),
    ],
)
def test_address(tmp_path, path, line, written):
    address = read(tmp_path, EXAMPLE).address(*path)
    assert address == Address("config.json", line, written)


def test_non_finite_numbers_as_in_the_standard_library(tmp_path):
    data = read(tmp_path, '{"a": NaN, "b": -Infinity}').data
    assert math.isnan(data["a"])
    assert data["b"] == -math.inf


def test_byte_order_mark(tmp_path):
    assert read(tmp_path, b'\xef\xbb\xbf{"a": 1}').data == {"a": 1}


def test_last_of_a_repeated_key_wins_with_a_notice(tmp_path):
    document = read(tmp_path, '{"train": {"loss": 1,\n "b": 2,\n "loss":\n 3}}')
    assert document.data == {"train": {"loss": 3, "b": 2}}
    assert document.address("train", "loss").line == 3
    (notice,) = document.notices
    assert str(notice) == (
        "config.json:3 train.loss: 'loss' stands twice in this object (line 1 as well); the last one counts"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '{"a": 1,\n "b": ture}',
            (
                r"^config.json:2: not valid JSON at line 2, column 7: Expecting value, found ture; "
                r"did you mean true\?$"
            ),
        ),
        ('{"a": False}', "found False; did you mean false"),
        ('{"a": None}', "found None; did you mean null"),
        ('{"a": hello}', "found hello; text needs double quotes"),
        ('{"a": 1,}', "remove the comma before the closing bracket"),
        ('{"a": [1, 2, ]}', "remove the comma before the closing bracket"),
        ("{'a': 1}", "double quotes: write \" instead of '"),
        ("{\"a\": 'x'}", "double quotes: write \" instead of '"),
        ('{"a": 1, // one\n "b": 2}', "JSON has no comments: remove it"),
        ('{\n# one\n"b": 2}', "line 2, column 1: .*JSON has no comments"),
        ('{"a": 1 "b": 2}', "Expecting ',' delimiter; a comma is missing before this"),
        ('{"a": 1', "the file ends too early"),
        ("", "the file ends too early"),
        ('{"a": .5}', "write 0.5"),
        ('{"a": +3}', "write 3"),
        ('{"a": “x”}', "typographic quotes"),
        ("{a: 1}", 'text needs double quotes: "..."'),
        ('{"a": 1} {', "line 1, column 10: Extra data$"),
        ('{"a": 1} 5', "line 1, column 10: Extra data$"),
        ('{"a": @}', "line 1, column 7: Expecting value$"),
        ("[1, 2]", r"^config.json:1: holds a list at the top level, expected an object \{ ... \}"),
        ('"text"', 'holds the value "text" at the top level'),
        ("[" * 100_000, "nested too deeply"),
        ('{"a": %s}' % ("[" * 100_000), "nested too deeply"),
        ('{"a": %s}' % ("1" * 5000), "holds a whole number of more than 4,300 digits, which is not read$"),
        (b'{\n"a": "\xe9"}', r"^config.json:2: is not UTF-8 text \(byte 9\); save it as UTF-8"),
        ('{"a": 1}'.encode("utf-16"), "is not UTF-8 text"),
    ],
)
def test_errors(tmp_path, text, message):
    with pytest.raises(ClaraError, match=message):
        read(tmp_path, text)


def test_missing_file_with_the_nearest(tmp_path):
    (tmp_path / "config_train.json").write_text("{}")
    with pytest.raises(
        ClaraError, match=r"config_trian.json: there is no such file; did you mean '.*config_train.json'"
    ):
        read_json(tmp_path / "config_trian.json")
    with pytest.raises(ClaraError, match=r"there is no such file$"):
        read_json(tmp_path / "nowhere" / "x.json")


def test_folder(tmp_path):
    with pytest.raises(ClaraError, match="is a folder, expected a JSON file"):
        read_json(tmp_path)


def test_not_a_file_name():
    with pytest.raises(ClaraError, match="cannot be read"):
        read_json("a\0b")


def test_too_large(tmp_path, monkeypatch):
    monkeypatch.setattr(positions, "MAX_BYTES", 1_000_000)
    file = tmp_path / "large.json"
    file.write_text('{"a": "' + "x" * 1_000_000 + '"}')
    with pytest.raises(ClaraError, match="is larger than 1 MB, too large for a config file"):
        read_json(file)


@pytest.mark.real
def test_every_published_config_is_read_but_the_broken_one(clara_examples):
    files = sorted(clara_examples.rglob("*.json"))
    assert len(files) > 50
    for file in files:
        if file.match("Performance/configDemo/trn1_AMP.json"):
            with pytest.raises(ClaraError, match=r"trn1_AMP.json:7: not valid JSON at line 7, column 14: .*true"):
                read_json(file)
        else:
            assert read_json(file).data == json.loads(file.read_text())


@pytest.mark.real
def test_lines_in_a_published_config(clara_examples):
    file = clara_examples / "GettingStarted" / "config" / "trn_BYOC_transform.json"
    address = read_json(file).address("train", "pre_transforms", 4, "args", "a_offset")
    assert '"a_offset"' in file.read_text().splitlines()[address.line - 1]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (("epochs",), '"epochs": 3'),
        (("train", "pre_transforms", 0), '{"name": "LoadNifti"}'),
        (
            ("train", "pre_transforms", 1),
            '{"name": "Crop",\n "args": {\n   "size":\n     [64, 64]\n }}',
        ),
        (("train", "pre_transforms", 1, "args", "size"), '"size":\n  [64, 64]'),
        (("train", "pre_transforms", 7), ""),
        (("validate",), ""),
    ],
)
def test_written(tmp_path, path, expected):
    document = read(tmp_path, EXAMPLE)
    assert document.written(*path) == expected
    changed = document.with_data({"epochs": 4}, [("epochs",)])
    assert changed.written(*path) == expected


def test_written_is_the_whole_object_at_the_top(tmp_path):
    assert read(tmp_path, "\n" + EXAMPLE + "\n\n").written() == EXAMPLE
