from __future__ import annotations

import copy
import os
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clara_compat.config.problems import Problems
from clara_compat.config.variables import DEFAULTS, nearest_known, resolve_variables, substitute, used_names
from clara_compat.errors import Address, ClaraError

MMAR = "/mmar"


def test_precedence():
    workflow = {"a": "workflow", "b": "workflow", "c": "workflow", "PROCESSING_TASK": "workflow"}
    variables = resolve_variables(workflow, {"b": "environment", "c": "environment"}, {"c": "set"}, MMAR)
    assert variables["a"] == "workflow"
    assert variables["b"] == "environment"
    assert variables["c"] == "set"
    assert variables["PROCESSING_TASK"] == "workflow"


def test_defaults():
    assert resolve_variables({}, {}, {}, MMAR) == {
        "PROCESSING_TASK": "segmentation",
        "MMAR_EVAL_OUTPUT_PATH": "/mmar/eval",
        "MMAR_CKPT_DIR": "/mmar/models",
    }


def test_first_level_primitives_and_determinism_are_variables():
    workflow = {"i": 1, "f": 0.5, "b": True, "s": "x", "n": None, "l": [1], "d": {"x": 1}, "determinism": {"x": 1}}
    variables = resolve_variables(workflow, {}, {}, MMAR)
    assert {key: variables[key] for key in variables.keys() - DEFAULTS.keys()} == {
        "i": 1, "f": 0.5, "b": True, "s": "x", "determinism": {"x": 1},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("source", "value", "expected"),
    [
        ("environment", "models/x", "/mmar/models/x"),
        ("environment", "/abs/x", "/abs/x"),
        ("environment", "", ""),
        ("environment", None, None),
        ("environment", 2021, "/mmar/2021"),
        ("set", "models/x", "/mmar/models/x"),
        ("set", "/abs/x", "/abs/x"),
        ("set", "", ""),
        ("workflow", "models/x", "models/x"),
    ],
)
def test_mmar_paths(source, value, expected):
    sources = {"workflow": {}, "environment": {}, "set": {}}
    sources[source]["MMAR_CKPT_DIR"] = value
    assert resolve_variables(*sources.values(), MMAR)["MMAR_CKPT_DIR"] == expected


def test_only_names_that_start_with_mmar_are_joined():
    environment = {"DATA_ROOT": "data", "DATASET_JSON": "x.json", "MY_MMAR_X": "y", "MMARS": "z"}
    assert resolve_variables({}, environment, {}, MMAR).items() >= environment.items()


def test_a_mmar_path_that_is_no_path():
    with pytest.raises(ClaraError, match=r"the variable MMAR_CKPT is \['a'\], expected a path"):
        resolve_variables({}, {"MMAR_CKPT": ["a"]}, {}, MMAR)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{N}", 3), ("{F}", 0.5), ("{B}", False), ("{S}", "x y"), ("{D}", {"a": 1}), ("{E}", ""), ("{A-B}", 7),
        ("{DATA_ROOT}/list.json", "/data/list.json"), ("{N}{S}", "3x y"), (" {N}", " 3"), ("{B}!", "False!"),
        ("{{N}}", "{N}"), ("{{", "{"), ("a}}b", "a}b"), ("{{{N}}}", "{3}"), ("no braces", "no braces"), ("", ""),
        ("$x", "$x"), ("@y#z::%", "@y#z::%"), ("__import__('os')", "__import__('os')"), ("%(N)s", "%(N)s"),
    ],
)  # fmt: skip
def test_substitution(text, expected):
    variables = {"N": 3, "F": 0.5, "B": False, "S": "x y", "D": {"a": 1}, "E": "", "A-B": 7, "DATA_ROOT": "/data"}
    result = substitute({"train": [text]}, variables)
    assert result.data == {"train": [expected]}
    assert type(result.data["train"][0]) is type(expected)
    assert result.undefined == {}


def test_one_pass_only():
    assert substitute(["{A}", "x{A}"], {"A": "{B}", "B": 1}).data == ["{B}", "x{B}"]


def test_an_undefined_name_alone_is_none_and_remembered():
    result = substitute({"train": {"loss": ["{NOPE}", "{OK}"]}}, {"OK": 1})
    assert result.data == {"train": {"loss": [None, 1]}}
    assert result.undefined == {("train", "loss", 0): "NOPE"}


def test_keys_are_text():
    assert substitute({"{A}": "{A}"}, {"A": 1}).data == {"{A}": 1}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{DATAROOT}/x", (r"needs the variable DATAROOT, which is not defined in environment.json or --set; "
                         r"did you mean 'DATA_ROOT'\?")),
        ("x{QQQ}", "needs the variable QQQ, which is not defined in environment.json or --set$"),
        ("{DATA_ROOT", r"has a brace without its partner \(.*\); write \{\{ and \}\} for braces meant as text"),
        ("DATA_ROOT}", "has a brace without its partner"),
        ("{", "has a brace without its partner"),
        ("{DATA_ROOT.__class__}", r"a placeholder that is more than a name; only \{NAME\} is allowed"),
        ("{DATA_ROOT.__class__.__mro__}x", "more than a name"),
        ("{DATA_ROOT[0]}", "more than a name"),
        ("{DATA_ROOT!r}", "more than a name"),
        ("{DATA_ROOT:>9999999999}", "more than a name"),
        ("{DATA_ROOT:{DATA_ROOT}}", "more than a name"),
        ("{}", "more than a name"),
        ("{0}", "more than a name"),
        ('{"a": 1}', "more than a name"),
    ],
)  # fmt: skip
def test_refused_text(text, message):
    where = Address("c.json", 7, "train.x")
    with pytest.raises(ClaraError, match=message) as raised:
        substitute({"train": {"x": text}}, {"DATA_ROOT": "/data"}, lambda *path: where)
    assert raised.value.address == where
    problems = Problems()
    assert substitute({"train": {"x": text}}, {"DATA_ROOT": "/data"}, None, problems).data == {"train": {"x": text}}
    assert str(problems.errors[0]).startswith("config train.x: ")


def test_parked_keys_and_disabled_components_are_left_alone():
    data = {
        "search": ["{bad"],
        "___search": "{bad",
        "train": {
            "__model": {"name": "{bad"},
            "loss": [{"name": "A", "disabled": True, "args": {"x": "{bad"}}, {"name": "B", "apply": {"x": "{bad"}}],
            "model": {"name": "C", "disabled": "{OFF}", "args": {"x": "{bad"}},
        },
    }
    result = substitute(data, {"OFF": True})
    assert result.data["train"]["model"]["disabled"] is True
    expected = copy.deepcopy(data)
    expected["train"]["model"]["disabled"] = True
    assert result.data == expected


def test_inside_args_every_key_counts():
    data = {"args": {"_target_": "{A}", "search": "{A}", "x": {"disabled": True, "y": "{A}"}}}
    assert substitute(data, {"A": 1}).data == {"args": {"_target_": 1, "search": 1, "x": {"disabled": True, "y": 1}}}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet="ab$@#%{}", max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xyz"), inner, max_size=3),
)


@given(JSON)
def test_escaped_text_comes_back_as_it_was(data):
    def escape(value):
        if isinstance(value, str):
            return value.replace("{", "{{").replace("}", "}}")
        if isinstance(value, list):
            return [escape(item) for item in value]
        return {key: escape(item) for key, item in value.items()} if isinstance(value, dict) else value

    assert substitute(escape(data), {}).data == data


@given(st.lists(st.sampled_from(["{A}", "{B}", "text ", "{{", "}}", "$#@"]), min_size=2))
def test_texts_equal_str_format(parts):
    variables = {"A": 1, "B": "two"}
    text = "".join(parts)
    expected = text.format(**variables)
    if not re.fullmatch(r"\{\w+\}", text):
        assert substitute([text], variables).data == [expected]


def test_used_names_and_nearest_known():
    workflow = {"epochs": 1, "train": {"x": "{DATA_DIR}/{SUB}", "y": ["{N}"]}}
    assert used_names(workflow) == {"DATA_DIR", "SUB", "N"}
    for known in ("epochs", "DATA_DIR", "ENV", "MMAR_CKPT_DIR", "use_amp", "DATASET_JSON"):
        assert nearest_known(known, workflow, {"ENV": 1})[0]
    assert nearest_known("epoch", workflow, {}) == (False, "epochs")
    assert nearest_known("DATASET_JSN", workflow, {}) == (False, "DATASET_JSON")


def test_joining_is_os_path_join():
    assert resolve_variables({}, {"MMAR_X": "../y"}, {}, "/m")["MMAR_X"] == os.path.join("/m", "../y")
