"""What an object is, in words: equal for equal ones in every process, different for everything that differs."""

from __future__ import annotations

import collections
import copy
import datetime as dt
import functools
import json
import operator
import random
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from monai.data import MetaTensor
from monai.transforms import Compose, LoadImaged, RandFlipd, ScaleIntensityRanged
from monai.utils import GridSampleMode

from clara_compat.engine.data import describe as module
from clara_compat.engine.data.describe import Describer, IndescribableError


def told(value: Any) -> str:
    return Describer().describe(value)


class Thing:
    limit = 3

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)

    def method(self) -> None: ...


class Other(Thing):
    pass


class Slots:
    __slots__ = ("__hidden", "size")

    def __init__(self, size: int, hidden: int) -> None:
        self.size = size
        self.__hidden = hidden


class Listed(list):
    pass


class Dropping:
    """Keeps something out of its pickle."""

    def __init__(self, kept: int, dropped: int) -> None:
        self.kept, self.dropped = kept, dropped

    def __getstate__(self) -> dict[str, int]:
        return {"kept": self.kept}

    def __deepcopy__(self, _: Any) -> Dropping:
        return Dropping(self.kept, self.dropped)


Point = collections.namedtuple("Point", "x y")  # noqa: PYI024 -- users' code of the time has these


def listed(*values: Any, **more: Any) -> Listed:
    one = Listed(values)
    one.__dict__.update(more)
    return one


def closing_over(number: Any) -> Any:
    return lambda x: x + number


def cyclic(number: int) -> list[Any]:
    one: list[Any] = [number]
    one.append({"self": one})
    return one


def parent(name: str) -> Thing:
    one = Thing(name=name)
    one.child = Thing(parent=one)
    return one


# Every entry differs from every other one.
DIFFERENT: list[Any] = [
    None, True, False, 0, 1, -1, 10**5, 1.0, 1.5, 0.1 + 0.2, 0.3, float("inf"), -0.0, 0.0, 1j, "", "1", b"1", b"",
    ..., [], (), {}, set(), frozenset(), [1], (1,), {1}, frozenset({1}), {1: 1}, [[1], 2], [1, [2]], [1, 2], [2, 1],
    {"a": 1, "b": 2}, {"b": 2, "a": 1}, {"a": 2, "b": 1}, {"a, 'b'": 1}, {"a": {"b": 1}}, [("a", 1)], "[1]",
    range(3), range(4), slice(3), slice(0, 3), Point(1, 2), Point(2, 1), listed(), listed(1), listed(1, a=2),
    collections.OrderedDict(a=1), collections.defaultdict(list, a=1), collections.defaultdict(int, a=1),
    collections.deque([1]), collections.Counter("aab"), Path("a"), Path("b"), re.compile("a"), re.compile("a", 2),
    dt.date(2020, 1, 1), dt.date(2020, 1, 2), operator.itemgetter(1), operator.itemgetter("1"),
    Thing(), Other(), Thing(size=1), Thing(size=1.0), Other(size=1), Thing(size=(1, 2)), Thing(Size=1),
    Thing(inner=Thing(size=1)), Thing(inner=Thing(size=2)), Slots(1, 2), Slots(2, 2), Slots(1, 3),
    Dropping(1, 2), Dropping(2, 2), Dropping(1, 3), cyclic(1), cyclic(2), parent("a"), parent("b"),
    Thing, Other, int, np.float32, np.float64, len, max, told, np.exp, np.max, torch.exp, torch.sigmoid, str.upper,
    Thing(size=1).method, Thing(size=2).method, functools.partial(max, 1), functools.partial(max, 2),
    functools.partial(min, 1), functools.partial(max, key=len), np, torch,
    lambda x: x > 0, lambda x: x > 1, lambda x: x < 0, lambda y: y, lambda x: x, lambda x=1: x, lambda x=2: x,
    lambda *, x=1: x, lambda *, x=2: x,
    lambda x: x.max, lambda x: x.min, lambda x: [y > 0 for y in x], lambda x: [y > 1 for y in x], lambda: told,
    closing_over(1), closing_over(2), closing_over([1]),
    GridSampleMode.BILINEAR, GridSampleMode.NEAREST, "bilinear",
    np.dtype("f4"), np.dtype("f8"), np.dtype(">f4"), np.dtype([("a", "f4")]), np.float32(1), np.float64(1),
    torch.float32, torch.float16, torch.device("cpu"), torch.device("cuda", 0), torch.Size([1, 2]),
    np.zeros(3), np.zeros(4), np.zeros((1, 3)), np.zeros(3, np.float32), np.zeros(3, ">f8"), np.ones(3),
    np.array([{"a": 1}], object), np.array([{"a": 2}], object), np.ma.masked_array([1, 2], [False, True]),
    np.ma.masked_array([1, 2], [True, False]), np.array("2020-01-01", "M8[D]"), np.arange(6).reshape(2, 3),
    np.arange(6).reshape(2, 3, order="F"),
    torch.zeros(3), torch.ones(3), torch.zeros(3, dtype=torch.float64), torch.zeros(1, 3), torch.tensor(1.0),
    torch.ones(2, dtype=torch.bfloat16), torch.nn.Parameter(torch.zeros(3)), torch.tensor([]),
    MetaTensor(torch.zeros(3), affine=torch.eye(4)), MetaTensor(torch.zeros(3), affine=torch.eye(4) * 2),
    ScaleIntensityRanged("image", 0, 1, 0, 1), ScaleIntensityRanged("image", 0, 1, 0, 2),
    ScaleIntensityRanged(["image", "label"], 0, 1, 0, 1), ScaleIntensityRanged("image", 0, 1, 0, 1, clip=True),
    LoadImaged("image"), LoadImaged("image", reader="NibabelReader"), LoadImaged("image", dtype=np.float64),
    Compose([LoadImaged("image")]), Compose([LoadImaged("image")], lazy=True), RandFlipd("image", 0.1),
]  # fmt: skip


def test_everything_that_differs_is_told_apart() -> None:
    found = collections.defaultdict(list)
    for number, value in enumerate(DIFFERENT):
        found[told(value)].append(f"{number}: {value!r}")
    assert [values for values in found.values() if len(values) > 1] == []


def test_nothing_of_it_is_a_place_in_memory() -> None:
    assert [value for value in DIFFERENT if "0x" in told(value) or "clara_user_code" in told(value)] == []


def copied(value: Any) -> Any:
    return value if callable(value) or value is np or value is torch else copy.deepcopy(value)


@pytest.mark.parametrize("value", DIFFERENT, ids=range(len(DIFFERENT)))
def test_a_copy_is_the_same(value: Any) -> None:
    assert told(copied(value)) == told(value)


PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()
VALUES = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(st.text() | st.integers(), inner)
        | st.builds(lambda values: Thing(**values), st.dictionaries(st.text(), inner))
    ),
    max_leaves=20,
)


def equal(one: Any, other: Any) -> bool:
    """Whether two values are the same, types, signs and order included."""
    if type(one) is not type(other):
        return False
    if isinstance(one, Thing):
        return equal(dict(sorted(vars(one).items())), dict(sorted(vars(other).items())))
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(equal, one, other))
    if isinstance(one, dict):
        return equal(list(one.items()), list(other.items()))
    return repr(one) == repr(other)


@given(VALUES, VALUES)
def test_values_have_one_description_exactly_when_they_are_equal(one: Any, other: Any) -> None:
    assert (told(one) == told(other)) is equal(one, other)
    assert told(copy.deepcopy(one)) == told(one)


@given(VALUES, st.randoms())
def test_a_change_anywhere_is_seen(value: Any, chance: random.Random) -> None:
    """Walk down to some leaf and write something else there."""
    root = {"root": copy.deepcopy(value)}
    at, name = root, "root"
    while isinstance(at[name], (list, dict)) and at[name]:
        at = at[name]
        name = chance.choice(list(at) if isinstance(at, dict) else range(len(at)))  # type: ignore[assignment]
    at[name] = [at[name]]
    assert told(root) != told({"root": value})


@given(st.lists(st.text() | st.integers(), unique=True), st.randoms())
def test_sets_have_no_order(values: list[Any], chance: random.Random) -> None:
    other = chance.sample(values, len(values))
    assert told(set(values)) == told(set(other))
    assert told({frozenset(values)}) == told({frozenset(other)})


@given(st.dictionaries(st.text(), PLAIN), st.randoms())
def test_attributes_have_no_order(values: dict[str, Any], chance: random.Random) -> None:
    names = chance.sample(list(values), len(values))
    assert told(Thing(**values)) == told(Thing(**{name: values[name] for name in names}))


NUMBERS = arrays.arrays(
    st.sampled_from([np.uint8, np.int32, np.float32, np.float64]), arrays.array_shapes(max_dims=3, max_side=4)
)


@given(NUMBERS, st.randoms())
def test_every_voxel_counts(array: np.ndarray[Any, Any], chance: random.Random) -> None:
    strided = np.asfortranarray(array)
    assert told(np.ascontiguousarray(strided)) == told(array) == told(strided)
    assert told(torch.from_numpy(array)) == told(torch.from_numpy(strided.copy(order="C")))
    changed = array.copy()
    at = chance.randrange(array.size)
    changed.reshape(-1).view(np.uint8)[at * array.itemsize] ^= 1
    assert told(changed) != told(array)
    assert told(torch.from_numpy(changed)) != told(torch.from_numpy(array))


def test_the_state_of_generators_is_left_out() -> None:
    for make in (np.random.RandomState, np.random.default_rng, random.Random):
        assert told(Thing(R=make(1))) == told(Thing(R=make(2)))
    assert told(torch.Generator().manual_seed(1)) == told(torch.Generator().manual_seed(2))
    chain = Compose([RandFlipd("image", 0.5)])
    assert told(copy.deepcopy(chain).set_random_state(3)) == told(copy.deepcopy(chain).set_random_state(4))


def test_a_lambda_is_what_it_computes_with() -> None:
    spaces: list[dict[str, Any]] = [{"limit": 1}, {"limit": 2}, {"limit": 1, "unused": 3}]
    first, second, third = (told(eval("lambda x: [y for y in x if y > limit]", space)) for space in spaces)
    assert first == third != second
    lines = [compile("\n" * n + "f = lambda x: x + 1", f"file{n}", "exec") for n in range(2)]
    made = [{} for _ in lines]
    for line, space in zip(lines, made, strict=True):
        exec(line, space)
    assert told(made[0]["f"]) == told(made[1]["f"])  # where it stands does not matter
    with pytest.raises(IndescribableError, match=r"<lambda>\.lock cannot be described"):
        told(eval("lambda: lock", {"lock": threading.Lock()}))


def test_whose_code_it_is() -> None:
    describer = Describer()
    describer.describe([Other(load=functools.partial(json.loads, cls=None)), lambda: np.pi])
    assert describer.modules == {__name__, "builtins", "copyreg", "functools", "json", "numpy"}


class Refuses:
    def __reduce__(self) -> Any:
        raise RuntimeError("not me")


def generator() -> Any:
    yield 1


def local_class() -> type:
    class Thing:
        pass

    return Thing


@pytest.mark.parametrize(
    ("value", "match"),
    [
        (threading.Lock(), r"^lock cannot be described \(TypeError: cannot pickle '_thread.lock' object\)"),
        (Thing(reader=Thing(lock=threading.Lock())), r"^reader\.lock cannot be described"),
        ({"files": [Thing(file=sys.__stdin__)]}, r"^files\.file cannot be described"),
        (generator(), "^generator cannot be described"),
        (Refuses(), r"^Refuses cannot be described \(RuntimeError: not me\)"),
        (local_class(), r"^type is a class that cannot be found as .*test_describe\.local_class\.<locals>\.Thing"),
        (Thing(cls=local_class()()), "^cls is a class that cannot be found as"),
        (np.frompyfunc(len, 1, 1), r"\(len \(vectorized\)\) is in no module"),
        (functools.lru_cache(lambda x: x), r"\(<lambda>\) is in no module that it names"),
        (torch.empty(2, device="meta"), "^Tensor cannot be described"),
        ([10**5000], "^int cannot be described"),
        (functools.reduce(lambda inner, _: [inner], range(5000), []), r"cannot be described \(RecursionError"),
    ],
)
def test_what_nobody_can_tell_apart_is_refused(value: Any, match: str) -> None:
    with pytest.raises(IndescribableError, match=match):
        told(value)


def test_too_large_an_object_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST", 100)
    assert told(Thing(values=list(range(50))))
    with pytest.raises(IndescribableError, match="values has more than 100 parts"):
        told(Thing(values=list(range(100))))
    one: Any = 1
    for _ in range(60):
        one = [one, one]  # 2^60 parts when written out
    with pytest.raises(IndescribableError, match="more than 100 parts"):
        told(one)


CODE = """
import functools, json, sys
import numpy as np
from clara_compat.engine.data.describe import Describer
names = {"image", "label", "weight", "mask"}
values = [
    names, frozenset(names), [names, {1, "1", 2.5, None}], {"a": np.arange(3)}, lambda x: x in {"a", "b", "c", "d"},
    functools.partial(np.clip, a_min=names), np.dtype("f4"), np.max,
]
json.dump([Describer().describe(value) for value in values], sys.stdout)
"""


def test_the_same_in_every_process(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for seed in ("1", "2"):
        monkeypatch.setenv("PYTHONHASHSEED", seed)
        found.append(subprocess.run([sys.executable, "-c", CODE], check=True, capture_output=True, text=True).stdout)
    assert found[0] == found[1]
    assert len(set(json.loads(found[0]))) == 8
