from __future__ import annotations

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clara_compat.config.overrides import PathOverride, parse_overrides, typed
from clara_compat.config.paths import format_path
from clara_compat.config.positions import read_json
from clara_compat.config.problems import ConfigErrors
from clara_compat.errors import ClaraError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1), ("0", 0), ("-3", -3), ("1e3", 1000.0), ("1.5", 1.5), ("1e-4", 1e-4),
        ("true", True), ("Yes", True), ("y", True), ("t", True), ("ON", True),
        ("false", False), ("No", False), ("n", False), ("f", False), ("off", False),
        ("", ""), ("/data/x", "/data/x"), ("a=b", "a=b"), ("[1,2]", "[1,2]"), ("None", "None"), ("maybe", "maybe"),
    ],
)  # fmt: skip
def test_typing_of_variables(text, value):
    (result,) = parse_overrides([f"KEY={text}"]).variables.values()
    assert result == value
    assert type(result) is type(value)


@given(st.integers())
def test_integers_stay_integers(number):
    assert typed(str(number)) == number
    assert isinstance(typed(str(number)), int)


@given(st.floats(allow_nan=False))
def test_floats_stay_floats(number):
    assert typed(repr(number)) == number
    assert isinstance(typed(repr(number)), float)


@given(st.text(alphabet="abcdxz/_. =#$@", min_size=1).filter(lambda text: text.strip() == text))
def test_text_stays_text(text):
    if text.lower() not in {"a", "b"}:
        assert typed(text) == text or isinstance(typed(text), bool)


def test_last_one_wins_and_only_the_first_equals_sign_splits():
    overrides = parse_overrides(["epochs=1", "URL=http://x?a=b", "epochs=5"])
    assert overrides.variables == {"epochs": 5, "URL": "http://x?a=b"}


def test_mmar_paths_stay_text():
    assert parse_overrides(["MMAR_CKPT_DIR=2021"]).variables == {"MMAR_CKPT_DIR": "2021"}


@pytest.mark.parametrize(
    ("item", "path", "value"),
    [
        ("train.a=0", ("train", "a"), 0),
        ("a[3].size=[32,32,32]", ("a", 3, "size"), [32, 32, 32]),
        ("a.b=true", ("a", "b"), True),
        ("a.b=yes", ("a", "b"), "yes"),
        ("a.b=null", ("a", "b"), None),
        ('a.b={"x": "="}', ("a", "b"), {"x": "="}),
        ("a.b=#$@/x", ("a", "b"), "#$@/x"),
        ("a.b=", ("a", "b"), ""),
    ],
)
def test_paths_take_json(item, path, value):
    assert parse_overrides([item]).paths == (PathOverride(path, value),)


def test_python_values_keep_their_types():
    overrides = parse_overrides({"epochs": "2", "train.model.args.num_classes": (3,), "x": True})
    assert overrides.variables == {"epochs": "2", "x": True}
    assert overrides.paths == (PathOverride(("train", "model", "args", "num_classes"), (3,)),)


@pytest.mark.parametrize(
    ("items", "message"),
    [
        (["epochs"], "--set epochs: there is no '='; write --set KEY=VALUE"),
        (["=3"], "--set =3: the name before '=' is missing"),
        (["a..b=3"], r"^--set: 'a\.\.b' is not a path into the config"),
        ("epochs=3", "overrides are a list of KEY=VALUE texts or a mapping"),
        ([f"a.b={'[' * 100_000}"], "--set a.b: the value is nested too deeply"),
    ],
)
def test_unreadable_items(items, message):
    with pytest.raises(ClaraError, match=message):
        parse_overrides(items)


DOCUMENT = """{
  "epochs": 3,
  "train": {
    "loss": {"name": "Dice"},
    "pre_transforms": [
      {"name": "Load", "args": {"fields": "image"}},
      {"path": "my.Crop#x", "args": {"size": [64, 64, 64], "more": {"a": 1}}},
      {"ref": "Load"}
    ],
    "aux_ops": []
  }
}
"""


@pytest.fixture
def document(tmp_path):
    file = tmp_path / "c.json"
    file.write_text(DOCUMENT)
    return read_json(file, shown="c.json")


@pytest.mark.parametrize(
    ("item", "changed"),
    [
        ("train.pre_transforms[1].args.size=[1,2]", lambda d: d["train"]["pre_transforms"][1]["args"]["size"]),
        ("train.pre_transforms[1].args.size[2]=7", lambda d: d["train"]["pre_transforms"][1]["args"]["size"][2]),
        ("train.pre_transforms[0].args.new=5", lambda d: d["train"]["pre_transforms"][0]["args"]["new"]),
        ("train.pre_transforms[1].args.more.b=5", lambda d: d["train"]["pre_transforms"][1]["args"]["more"]["b"]),
        ("train.loss.args.smooth=0.5", lambda d: d["train"]["loss"]["args"]["smooth"]),
        ('train.loss.args={"smooth": 1}', lambda d: d["train"]["loss"]["args"]),
        ("train.loss.disabled=true", lambda d: d["train"]["loss"]["disabled"]),
        ('train.loss={"name": "Focal"}', lambda d: d["train"]["loss"]),
        ("train.pre_transforms=[]", lambda d: d["train"]["pre_transforms"]),
        ('["epochs"]=4', lambda d: d["epochs"]),
    ],
)
def test_a_path_is_set_and_nothing_else(document, item, changed):
    before = copy.deepcopy(document.data)
    result = parse_overrides([item]).apply(document)
    assert changed(result.data) == json.loads(item.partition("=")[2])
    assert document.data == before
    path = parse_overrides([item]).paths[0].path
    assert str(result.address(*path)) == f"--set {format_path(path)}"
    assert result.address("train").line == 3


def test_later_overrides_build_on_earlier_ones(document):
    items = ['train.loss={"name": "Focal"}', "train.loss.args.gamma=3", "train.loss.args.gamma=4"]
    assert parse_overrides(items).apply(document).data["train"]["loss"] == {"name": "Focal", "args": {"gamma": 4}}


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ("train.los.name=x", r"^c.json:3 train: --set train.los.name: train has no 'los'; did you mean train.loss\?"),
        ("tain.loss=1", "the config has no 'tain'; did you mean train"),
        ("train.zzz=1", "train has no 'zzz'; it has loss, pre_transforms, aux_ops"),
        (
            "train.pre_transforms[3].name=x",
            (
                r"train.pre_transforms is a list of 3, so \[3\] is out of range: "
                r"its entries are \[0\] to \[2\]"
            ),
        ),
        ("train.aux_ops[0].name=x", r"is a list of 0, so \[0\] is out of range: it has no entries"),
        (
            "train.pre_transforms.Load=x",
            r"so 'Load' names nothing in it: give a number, as in train.pre_transforms\[0\]",
        ),
        ("train[0]=x", r"train has no \[0\]"),
        ("epochs.x=1", "epochs is 3, which has no parts"),
        ("train.loss.name.x=1", 'train.loss.name is "Dice", which has no parts'),
        ("train.loss.arg.x=1", "train.loss has no 'arg'; it has name"),
        ("train.loss.args.a.b=1", "train.loss.args has no 'a'"),
        ("train.pre_transforms[2].args.x=1", "has no 'args'"),
        ("train.pre_transforms[0].enabled=1", "has no 'enabled'"),
    ],
)
def test_unknown_path(document, item, message):
    with pytest.raises(ClaraError, match=message):
        parse_overrides([item]).apply(document)


def test_every_unknown_path_is_reported(document):
    with pytest.raises(ConfigErrors) as raised:
        parse_overrides(["train.x=1", "train.y=2", "train.loss.name=ok"]).apply(document)
    assert len(raised.value.errors) == 2
    assert len(str(raised.value).splitlines()) == 2
