from __future__ import annotations

import json

import pytest

from clara_compat.config.components import ComponentResolver, Slot
from clara_compat.config.positions import read_json
from clara_compat.config.problems import Problems
from clara_compat.config.user_roots import search_roots
from clara_compat.config.variables import substitute

TRANSFORMS = Slot(("train", "pre_transforms"), "transforms")
LOSS = Slot(("train", "loss"), "losses", single=True)
VALIDATION = Slot(("validate", "pre_transforms"), "transforms")

LOAD = {"name": "LoadNifti", "args": {"fields": "image"}}
SCALE = {"fields": "image", "target_resolution": [1, 1, 1]}

USER = """
from ai4med.components.transforms.multi_field_transformer import MultiFieldTransformer
from ai4med.components.losses.loss import Loss

class MyNoise(MultiFieldTransformer):
    def __init__(self, fields, magnitude=1):
        MultiFieldTransformer.__init__(self, fields)

class MyLoss(Loss):
    def __init__(self):
        Loss.__init__(self)
"""


@pytest.fixture
def resolve(mmar, catalogue):
    """Write a document one element a line, resolve it; gives the components of each slot and the problems."""
    (mmar / "custom" / "deep").mkdir(parents=True)
    (mmar / "custom" / "my-noise.py").write_text(USER)
    (mmar / "custom" / "deep" / "noise.py").write_text(USER)

    def run(train=None, validate=None, variables=None, required=True, slots=(LOSS, TRANSFORMS, VALIDATION)):
        file = mmar / "config" / "c.json"
        file.write_text(json.dumps({"train": train or {}, "validate": validate or {}}, indent=1))
        document = read_json(file, shown="c.json")
        substituted = substitute(document.data, variables or {}, document.address)
        problems = Problems()
        roots = search_roots(mmar, mmar / "config", {})
        resolver = ComponentResolver(
            document.with_data(substituted.data), substituted.undefined, roots, catalogue, problems, required
        )
        found = resolver.resolve(slots)
        return [found[slot.path] for slot in slots], problems

    return run


def chain(*elements):
    return {"pre_transforms": list(elements)}


def texts(problems):
    return [str(error) for error in problems.errors]


def one(resolve, element):
    """The only component of a chain, without problems."""
    (_, (spec,), _), problems = resolve(chain(element))
    assert not problems.errors
    assert not problems.notices
    return spec


def test_a_named_component(resolve, catalogue):
    spec = one(resolve, LOAD)
    assert (spec.name, spec.alias, spec.user, spec.ref) == ("LoadNifti", (), None, None)
    assert spec.cls is catalogue.components["LoadNifti"]
    assert spec.args == {"fields": "image"}
    assert spec.section == "train.pre_transforms"
    assert str(spec.address) == "c.json:4 train.pre_transforms[0]"
    assert str(spec.arg_address("fields")) == "c.json:7 train.pre_transforms[0].args.fields"
    assert str(spec.arg_address("absent")) == "c.json:6 train.pre_transforms[0].args.absent"


@pytest.mark.parametrize(
    "element",
    [
        {"name": "LoadNifti"},
        {"path": "ai4med.components.transforms.load_nifti.LoadNifti"},
        {"name": "ai4med.components.transforms.load_nifti.LoadNifti"},
        {"path": "clara_compat.components.transforms.load_nifti.LoadNifti"},
        {"name": "Anything", "path": "ai4med.components.transforms.load_nifti.LoadNifti"},
        {"name": "Dice", "path": "ai4med.components.transforms.load_nifti.LoadNifti"},
        {"name": " LoadNifti "},
    ],
)
def test_ways_to_name_a_built_in(resolve, catalogue, element):
    spec = one(resolve, {**element, "args": {"fields": "image"}})
    assert spec.cls is catalogue.components["LoadNifti"]
    assert spec.name == "LoadNifti"


@pytest.mark.parametrize(
    "element",
    [
        {"path": "my-noise.MyNoise"},
        {"name": "my-noise.MyNoise"},
        {"name": "MyNoise", "path": "my-noise.MyNoise"},
        {"name": "LoadNifti", "path": "my-noise.MyNoise"},
        {"path": "custom.deep.noise.MyNoise"},
        {"path": "deep.noise.MyNoise"},
        {"path": "noise.MyNoise"},
    ],
)
def test_ways_to_name_user_code(resolve, element):
    spec = one(resolve, {**element, "args": {"fields": "image"}})
    assert spec.cls is None
    assert (spec.name, spec.user.class_name, spec.user.family) == ("MyNoise", "MyNoise", "transforms")


@pytest.mark.parametrize(
    ("name", "alias"),
    [
        ("Crop", ()),
        ("Crop#one", ("one",)),
        ("Crop#one#two", ("one", "two")),
        ("Crop#", ()),
        ("my-noise.MyNoise#x", ("x",)),
    ],
)
def test_aliases(resolve, name, alias):
    assert one(resolve, {"name": name, "args": {}}).alias == alias


def test_arguments(resolve):
    assert one(resolve, {"name": "Crop"}).args == {}
    assert one(resolve, {"name": "Crop", "args": None}).args == {}
    spec = one(resolve, {"name": "Crop", "args": {"size": 1, "class_attributes": {"x": 2}}})
    assert spec.args == {"x": 2}
    assert spec.arg_address("x").path == "train.pre_transforms[0].args.class_attributes.x"


def test_strange_text_is_only_text(resolve):
    args = {"_target_": "os.system", "a": "$__import__('os')", "b": "@x#y", "c": "%z"}
    assert one(resolve, {"name": "Crop", "args": args}).args == args


def test_undefined_variables_of_arguments(resolve):
    spec = one(resolve, {"name": "Crop", "args": {"size": "{SIZE}", "deep": [1, "{DEEP}"]}})
    assert spec.args == {"size": None, "deep": [1, None]}
    assert spec.undefined == {"size": "SIZE", "deep": "DEEP"}


def test_disabled(resolve):
    (_, found, _), problems = resolve(chain({**LOAD, "disabled": True}, {"name": "Crop", "disabled": False}))
    assert [spec.name for spec in found] == ["Crop"]
    assert not problems.notices


@pytest.mark.parametrize("flag", ["true", 1, "yes", None, []])
def test_only_a_json_boolean_disables(resolve, flag):
    (_, found, _), problems = resolve(chain({**LOAD, "disabled": flag}))
    assert [spec.name for spec in found] == ["LoadNifti"]
    assert "has no effect: only the JSON words true and false count" in str(problems.notices[0])
    assert problems.notices[0].address.path == "train.pre_transforms[0].disabled"


def test_a_disabled_component_need_not_make_sense(resolve):
    disabled = [{"name": "Nowhere"}, {"path": "no.where.X"}, {"name": 3}, {}, {"name": "Crop", "args": 3}]
    (_, found, _), problems = resolve(chain(*({**element, "disabled": True} for element in disabled)))
    assert not found
    assert not problems.errors


def test_a_variable_can_disable(resolve):
    (_, found, _), _ = resolve(chain({**LOAD, "disabled": "{OFF}"}), variables={"OFF": True})
    assert not found


@pytest.mark.parametrize(
    "element",
    [
        {"name": "Crop", "search": [], "apply": {}, "_comment": "x", "___search": [1]},
    ],
)
def test_ignored_keys(resolve, element):
    assert one(resolve, element).name == "Crop"


def test_unknown_keys_get_a_notice(resolve):
    (_, found, _), problems = resolve(chain({"name": "Crop", "arg": {}, "comment": "x"}))
    assert len(found) == 1
    assert [str(notice) for notice in problems.notices] == [
        "c.json:6 train.pre_transforms[0].arg: the key 'arg' of a component is ignored; did you mean 'args'?",
        "c.json:7 train.pre_transforms[0].comment: the key 'comment' of a component is ignored",
    ]


@pytest.mark.parametrize(
    ("element", "message"),
    [
        ({"name": "LoadNiftii"}, (r"c.json:5 train.pre_transforms[0].name: 'LoadNiftii' is no known component; "
                                "did you mean 'LoadNifti'?")),
        ({"name": "Qqqq"}, "'Qqqq' is no known component; give the 'path' of a class of your own (module.Class)"),
        ({"path": "ai4med.components.transforms.x.LoadNift"}, "is no known component; did you mean 'LoadNifti'?"),
        ({"name": "Dice"}, "'Dice' is a loss and cannot stand here; train.pre_transforms takes a transform"),
        ({"path": "my-noise.MyLoss"}, "'MyLoss' is a loss and cannot stand here"),
        ({"path": "my-noise.MyNois"}, "my-noise.py has no class 'MyNois'; did you mean 'MyNoise'"),
        ({"path": "my_nose.MyNoise"}, "the module of 'my_nose.MyNoise' was not found"),
        ({"path": "os.system"}, "'os.system' is refused"),
        ({"path": "../x.Y"}, "'../x.Y' is not the path of a class"),
        ({"name": 3}, "[0].name: is 3, expected the text of a name"),
        ({"name": "#x"}, "is the text '#x', expected the text of a name"),
        ({"path": ["a"]}, "[0].path: is a list, expected the text of a path"),
        ({"nam": "Crop"}, "the component has no 'name', 'path' or 'ref'; did you mean 'name'?"),
        ({}, "the component has no 'name', 'path' or 'ref'"),
        ({"name": "{NAME}"}, "has no 'name', 'path' or 'ref' because {NAME} is not defined in environment.json"),
        ({"name": "Crop", "ref": "x"}, "the component has both 'ref' and 'name' or 'path': keep one"),
        ({"name": "Crop", "args": [1]}, "[0].args: is a list, expected an object of arguments"),
        ({"name": "Crop", "args": {"class_attributes": 1}}, "args.class_attributes: is 1, expected an object"),
        ("LoadNifti", 'is the text \'LoadNifti\', expected a component such as {"name": "LoadNifti"}'),
        ([LOAD], "[0]: is a list, expected a component such as"),
        (None, "[0]: is null, expected a component such as"),
    ],
)  # fmt: skip
def test_errors_of_an_element(resolve, element, message):
    (_, found, _), problems = resolve(chain(element))
    assert not found
    (text,) = texts(problems)
    assert message in text
    assert text.startswith("c.json:")


def test_a_dictionary_in_a_list_slot(resolve):
    _, problems = resolve({"pre_transforms": LOAD})
    assert texts(problems) == [
        "c.json:3 train.pre_transforms: is an object, expected a list of components: put it into [ ]"
    ]


def test_every_error_is_collected(resolve):
    _, problems = resolve(chain({"name": "A"}, LOAD, {"name": "B"}, {"ref": "zzz"}))
    assert len(problems.errors) == 3


def test_user_code_that_need_not_be_there(resolve):
    (_, (spec,), _), problems = resolve(chain({"path": "away.MyThing", "args": {"x": 1}}), required=False)
    assert not problems.errors
    assert (spec.cls, spec.user, spec.name, spec.dotted) == (None, None, "MyThing", "away.MyThing")
    assert "the module of 'away.MyThing' was not found" in str(problems.notices[0])
    _, problems = resolve(chain({"path": "my-noise.Away"}), required=False)
    assert "has no class 'Away'" in texts(problems)[0]


# Single slots


def test_a_list_in_a_single_slot(resolve):
    ((loss,), _, _), problems = resolve({"loss": [{"name": "Dice", "disabled": True}, {"name": "Focal"}]})
    assert loss.name == "Focal"
    assert loss.section == "train.loss"
    assert str(loss.address) == "c.json:8 train.loss[1]"
    assert not problems.errors


def test_a_search_would_choose(resolve):
    loss = [
        {"name": "Dice", "apply": {"@disabled": "one"}},
        {"name": "Focal", "apply": {"@disabled": "two"}},
    ]
    ((spec,), _, _), problems = resolve({"loss": loss})
    assert spec.name == "Dice"
    assert not problems.errors
    [notice] = problems.notices
    assert "for a search to choose from: without a search the first is used" in str(notice)
    del loss[1]["apply"]
    _, problems = resolve({"loss": loss})
    assert "expected one: disable all but one" in texts(problems)[0]


def test_two_enabled_in_a_single_slot(resolve):
    _, problems = resolve({"loss": [{"name": "Dice"}, {"name": "Focal"}]})
    assert texts(problems) == [
        "c.json:3 train.loss: 2 are enabled (Dice (line 4), Focal (line 7)), expected one: disable all but one"
    ]


def test_nothing_enabled_in_a_single_slot(resolve):
    (found, _, _), problems = resolve({"loss": {"name": "Dice", "disabled": True}})
    assert not found
    assert not problems.errors


# ref


def refs(*names):
    return chain(*({"ref": name} for name in names))


@pytest.mark.parametrize(
    ("element", "ref"),
    [
        ({"name": "ScaleByResolution#A"}, "A"),
        ({"name": "ScaleByResolution#A"}, "ScaleByResolution"),
        ({"name": "ScaleByResolution#A"}, "ScaleByResolution#A"),
        ({"name": "ScaleByResolution#A#B"}, "B"),
        ({"path": "my-noise.MyNoise"}, "MyNoise"),
        ({"path": "my-noise.MyNoise"}, "my-noise.MyNoise"),
        ({"name": "Mine", "path": "my-noise.MyNoise"}, "Mine"),
        ({"name": "Mine#A", "path": "my-noise.MyNoise"}, "A"),
        ({"path": "my-noise.MyNoise#A"}, "A"),
    ],
)
def test_ref(resolve, element, ref):
    (_, (spec,), (copied,)), problems = resolve(chain({**element, "args": SCALE}), refs(ref))
    assert not problems.errors
    assert (copied.name, copied.cls, copied.user) == (spec.name, spec.cls, spec.user)
    assert copied.args == spec.args
    assert copied.args is not spec.args
    assert copied.ref == ref.rpartition("#")[2]
    assert copied.section == "validate.pre_transforms"
    assert copied.address.path == "validate.pre_transforms[0]"
    assert copied.address.line > spec.address.line
    assert copied.arg_address("fields") == spec.arg_address("fields")


def test_ref_within_train_may_point_forwards(resolve):
    (_, found, _), problems = resolve(chain({"ref": "L"}, {"name": "LoadNifti#L", "args": {"fields": "label"}}))
    assert [spec.args for spec in found] == [{"fields": "label"}] * 2
    assert not problems.errors


def test_ref_to_one_of_two_by_alias(resolve):
    train = chain({"name": "Crop#A", "args": {"size": 1}}, {"name": "Crop#B", "args": {"size": 2}})
    (_, _, found), problems = resolve(train, refs("B", "A"))
    assert [spec.args for spec in found] == [{"size": 2}, {"size": 1}]
    assert not problems.errors


def test_ambiguous_ref(resolve):
    _, problems = resolve(chain({"name": "Crop"}, {"name": "Crop#B"}), refs("Crop"))
    assert texts(problems) == [
        (
            "c.json:15 validate.pre_transforms[0].ref: the ref 'Crop' is ambiguous: "
            "it names the components of lines 4 and 7; "
            'give each an alias ("Crop#one", "Crop#two") and refer to that'
        )
    ]


def test_ref_to_the_enabled_one_of_two(resolve):
    train = chain({"name": "Crop", "args": {"size": 1}, "disabled": True}, {"name": "Crop", "args": {"size": 2}})
    (_, _, (spec,)), problems = resolve(train, refs("Crop"))
    assert spec.args == {"size": 2}
    assert not problems.errors


def test_ref_to_a_disabled_one_is_dropped_with_it(resolve):
    (_, _, found), problems = resolve(chain({**LOAD, "disabled": True}), refs("LoadNifti"))
    assert not found
    assert not problems.errors


def test_disabled_ref(resolve):
    (_, _, found), problems = resolve(chain(LOAD), chain({"ref": "nothing", "disabled": True}))
    assert not found
    assert not problems.errors


@pytest.mark.parametrize(
    ("ref", "message"),
    [
        ("ScaleImage", "the ref 'ScaleImage' names no component of train; did you mean 'ScaleImg'?"),
        ("LoadNifty", "did you mean 'LoadNifti'?"),
        ("qqq", "the ref 'qqq' names no component of train"),
    ],
)
def test_dangling_ref(resolve, ref, message):
    _, problems = resolve(chain(LOAD, {"name": "ScaleByResolution#ScaleImg", "args": SCALE}), refs(ref))
    (text,) = texts(problems)
    assert message in text
    assert "validate.pre_transforms[0].ref" in text


def test_a_component_of_validate_is_no_target(resolve):
    _, problems = resolve(chain(), chain({"name": "Crop#A"}, {"ref": "A"}))
    assert "names no component of train" in texts(problems)[0]


def test_ref_to_the_wrong_kind(resolve):
    _, problems = resolve({"loss": {"name": "Dice"}}, refs("Dice"))
    assert "'Dice' is a loss and cannot stand here; validate.pre_transforms takes a transform" in texts(problems)[0]


def test_ref_to_a_broken_component_adds_no_second_error(resolve):
    _, problems = resolve(chain({"name": "Qqqq"}), refs("Qqqq"))
    assert len(problems.errors) == 1


def test_args_beside_a_ref_get_a_notice(resolve):
    (_, _, (spec,)), problems = resolve(chain(LOAD), chain({"ref": "LoadNifti", "args": {"fields": "label"}}))
    assert spec.args == LOAD["args"]
    assert "the args beside a 'ref' are ignored" in str(problems.notices[0])
