from __future__ import annotations

from typing import Any, Literal

import pytest

from clara_compat.components.component import Component, exact
from clara_compat.config.arguments import bind_arguments, check_arguments, convert, create, describe
from clara_compat.config.positions import read_json
from clara_compat.config.problems import ConfigErrors, Problems
from clara_compat.config.spec import ComponentSpec
from clara_compat.config.user_code import UserArgument, UserClass
from clara_compat.errors import Address, ClaraError

TEXT_OR_TEXTS = str | list[str]


@pytest.mark.parametrize(
    ("value", "annotation", "expected"),
    [
        ("false", bool, False), ("True", bool, True), (1, bool, True), (0, bool, False), (True, bool, True),
        ("3", int, 3), (3.0, int, 3), (-1, int, -1), (3, float, 3.0), ("1e-4", float, 1e-4), (0.5, float, 0.5),
        ("image", TEXT_OR_TEXTS, "image"), (["a", "b"], TEXT_OR_TEXTS, ["a", "b"]), ("", str, ""),
        ([1, 2], list[float], [1.0, 2.0]), ([64.0, 64], list[int], [64, 64]), ((1, 2), list[int], [1, 2]),
        (None, str | None, None), ("x", str | None, "x"), (None, Any, None), ([True, {"a": 1}], Any, [True, {"a": 1}]),
        (2, float | list[float], 2.0), ([2], float | list[float], [2.0]), ("a", Literal["a", "b"], "a"),
        (True, bool | str, True), ("3", int | str, "3"), ({"a": True}, dict, {"a": True}), ([True], list[Any], [True]),
        ([True], list[bool], [True]), (True, Literal[True, "auto"], True),
    ],
)  # fmt: skip
def test_conversion(value, annotation, expected):
    result = convert(value, annotation)
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    ("value", "annotation", "message"),
    [
        ([1], float, r"is \[1\], expected a number$"),
        ("abc", float, "is 'abc', expected a number"),
        (True, float, "is true, expected a number"),
        (True, int, "is true, expected a whole number"),
        (3.5, int, "is 3.5, expected a whole number"),
        (None, str, "is null, expected text"),
        (3, str, "is 3, expected text"),
        (3, TEXT_OR_TEXTS, "is 3, expected text or a list of texts"),
        ("64", list[int], "is '64', expected a list of whole numbers"),
        ([1, "x"], list[float], r"is \[1, 'x'\], expected a list of numbers \(at \[1\]\)"),
        ([True], list[float], r"is \[True\], expected a list of numbers"),
        (2, bool, "is 2, expected true or false"),
        ("maybe", bool, "is 'maybe', expected true or false"),
        ("c", Literal["a", "b"], "is 'c', expected one of 'a', 'b'"),
        ("x" * 500, int, r"is 'x+\.\.\.x+', expected a whole number"),
        ({}, int | None, r"is \{\}, expected a whole number or null"),
    ],
)
def test_misfits(value, annotation, message):
    with pytest.raises(ValueError, match=message) as raised:
        convert(value, annotation)
    assert len(str(raised.value)) < 150


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (list[list[int]], "a list of a list of whole numbers"),
        (dict[str, Any], "an object"),
        (tuple[float, float], "a list of numbers"),
        (Component, "Component"),
    ],
)
def test_words(annotation, words):
    assert describe(annotation) == words


CONFIG = """{
  "train": {
    "pre_transforms": [
      {"name": "X",
       "args": {
%s
       }}
    ]
  }
}"""


@pytest.fixture
def spec_of(tmp_path, catalogue):
    """A spec of a class of the catalogue whose arguments stand one a line from line 6 on."""

    def make(cls, lines="", undefined=None, user=None):
        file = tmp_path / "c.json"
        file.write_text(CONFIG % ",\n".join(lines.split("; ") if lines else []))
        document = read_json(file, shown="c.json")
        path = ("train", "pre_transforms", 0)
        return ComponentSpec(
            name=user.class_name if user else cls if isinstance(cls, str) else cls.__name__,
            alias=(),
            cls=None if user else catalogue.components[cls] if isinstance(cls, str) else cls,
            user=user,
            args=document.data["train"]["pre_transforms"][0]["args"],
            address=document.address(*path),
            section="train.pre_transforms",
            undefined=undefined or {},
            document=document,
            args_path=(*path, "args"),
        )

    return make


def errors_of(spec):
    problems = Problems()
    check_arguments([spec], problems)
    return [str(error) for error in problems.errors]


RANGE = '"fields": "image"; "a_min": -57; "b_min": 0; "b_max": "1"; "clip": "true"'


def test_binding_converts(spec_of):
    bound = bind_arguments(spec_of("ScaleIntensityRange", RANGE + '; "a_max": 164'))
    assert bound == {"fields": "image", "a_min": -57.0, "a_max": 164.0, "b_min": 0.0, "b_max": 1.0, "clip": True}
    assert create(spec_of("ScaleIntensityRange", RANGE + '; "a_max": 164')).a_max == 164.0


def test_the_published_mistake(spec_of):
    """GettingStarted/config/trn_BYOC_transform.json gives a_offset and no a_max."""
    assert errors_of(spec_of("ScaleIntensityRange", RANGE + '; "a_offset": 200')) == [
        (
            "c.json:11 train.pre_transforms[0].args.a_offset: ScaleIntensityRange has no argument 'a_offset'; "
            "did you mean 'a_max'?"
        ),
        "c.json:5 train.pre_transforms[0].args.a_max: ScaleIntensityRange needs the argument 'a_max', a number",
    ]


@pytest.mark.parametrize(
    ("lines", "hint"),
    [
        ('"size": [1]; "batchsize": 3', "did you mean 'batch_size'?"),
        ('"batchsize": 3', "did you mean 'batch_size'?"),
        ('"zzz": [1]', "did you mean 'size'?"),
        ('"size": [1]; "zzz": 3', "it also takes batch_size"),
        ('"size": [1]; "batch_size": 2; "zzz": 3', "it takes no further argument"),
    ],
)
def test_nearest_argument(spec_of, lines, hint):
    assert any(hint in text for text in errors_of(spec_of("Crop", lines)))


def test_thousands_of_unknown_arguments_are_counted(spec_of):
    lines = "; ".join(f'"size{number}": 1' for number in range(5000))
    texts = errors_of(spec_of("Crop", '"size": [1]; ' + lines))
    assert len(texts) == 21
    assert texts[0].startswith("c.json:7 train.pre_transforms[0].args.size0: Crop has no argument 'size0'")
    assert texts[20] == "c.json:4 train.pre_transforms[0]: Crop has no 4,980 further arguments that are given here"


def test_a_name_that_is_no_slip_is_compared_with_none(spec_of):
    (text,) = errors_of(spec_of("Crop", '"size": [1]; "' + "size" * 250_000 + '": 1'))
    assert text.endswith("; it also takes batch_size")


def test_all_problems_at_once(spec_of):
    spec = spec_of("Crop", '"batch_size": "many"; "zzz": 1')
    assert len(errors_of(spec)) == 3
    with pytest.raises(
        ConfigErrors, match=r"(?s)argument 'batch_size' of Crop is 'many', expected a whole number.*size"
    ):
        bind_arguments(spec)
    with pytest.raises(ConfigErrors):
        create(spec)


def test_wrong_type(spec_of):
    assert errors_of(spec_of("Crop", '"size": [64, "x"]')) == [
        (
            "c.json:6 train.pre_transforms[0].args.size: argument 'size' of Crop is [64, 'x'], "
            "expected a list of whole numbers (at [1])"
        )
    ]


def test_undefined_variable_is_named(spec_of):
    (text,) = errors_of(spec_of("NegLoss", '"tag": null', {"tag": "TAG"}))
    assert "is null because {TAG} is not defined in environment.json or --set, expected text" in text


def test_what_the_constructor_refuses(spec_of):
    (text,) = errors_of(spec_of("ScaleIntensityRange", RANGE + '; "a_max": -57'))
    assert text == "c.json:4 train.pre_transforms[0]: ScaleIntensityRange: a_min and a_max are equal"
    (text,) = errors_of(spec_of("Crop", '"size": [0]'))
    assert text == "c.json:4 train.pre_transforms[0]: Crop: size is [0], expected numbers above 0"
    assert errors_of(spec_of("Adam", '"beta1": 0.5')) == []
    (text,) = errors_of(spec_of("Adam", '"beta": 0.5'))
    assert text == "c.json:4 train.pre_transforms[0]: Adam: Adam has no argument 'beta'"


def test_an_address_of_the_constructor_is_kept(spec_of):
    class Strict(Component):
        fidelity, becomes = exact(), "x"

        def __init__(self):
            raise ClaraError("no", Address("other.json", 3))

    assert errors_of(spec_of(Strict)) == ["other.json:3: no"]


def test_a_defect_is_not_hidden(spec_of):
    class Broken(Component):
        fidelity, becomes = exact(), "x"

        def __init__(self):
            raise RuntimeError("ours")

    with pytest.raises(RuntimeError, match="ours"):
        create(spec_of(Broken))


def test_class_without_constructor(spec_of):
    assert errors_of(spec_of("Focal")) == []
    assert "Focal has no argument 'gamma'; it takes no further argument" in errors_of(spec_of("Focal", '"gamma": 2'))[0]


def test_what_a_ref_names_is_checked_once(spec_of):
    from dataclasses import replace

    assert errors_of(replace(spec_of("Crop"), ref="Crop")) == []


def user(tmp_path, signature):
    return UserClass(
        path="a.My", file=tmp_path / "a.py", module="a", class_name="My", root=tmp_path, bases=(), ancestors=(),
        signature=signature, line=3, init_line=5, family=None, imports=frozenset(),
    )  # fmt: skip


def test_user_arguments(spec_of, tmp_path):
    signature = (UserArgument("fields", True), UserArgument("magnitude", True), UserArgument("dtype", False))
    given = user(tmp_path, signature)
    assert errors_of(spec_of(None, '"fields": 1; "magnitude": 2', user=given)) == []
    chain = "train.pre_transforms[0]"
    place = f"My ({tmp_path / 'a.py'}:5)"
    assert errors_of(spec_of(None, '"fields": 1; "magnitud": 2', user=given)) == [
        f"c.json:7 {chain}.args.magnitud: {place} has no argument 'magnitud'; did you mean 'magnitude'?",
        f"c.json:5 {chain}.args.magnitude: {place} needs the argument 'magnitude'",
    ]
    assert errors_of(spec_of(None, '"anything": 1', user=user(tmp_path, None))) == []


def test_user_code_is_not_made_here(spec_of, tmp_path):
    with pytest.raises(ClaraError, match="'My' is the user's own class and is not made from the catalogue"):
        create(spec_of(None, user=user(tmp_path, ())))
