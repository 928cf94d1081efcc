"""Which items an epoch has: windows, orders, categories."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clara_compat.engine.data.epoch_plan import EpochPlan, category_of
from clara_compat.errors import ClaraError


def plan(items: int | list[dict[str, Any]], **options: Any) -> EpochPlan:
    data = [{"image": f"{i}.nii"} for i in range(items)] if isinstance(items, int) else items
    return EpochPlan(data, **{"shuffle": True, "seed": 3, **options})


def labelled(*labels: Any) -> list[dict[str, Any]]:
    return [{"image": f"{i}.png", "label": label} for i, label in enumerate(labels)]


@given(st.integers(1, 40), st.integers(1, 40), st.floats(0, 1), st.integers(1, 60))
def test_an_epoch_is_one_pass_over_the_window(items: int, cached: int, replaced: float, epoch: int) -> None:
    made = plan(items, cached=cached, replace_percent=replaced)
    window = made.window(epoch)
    assert len(window) == len(made) == min(cached, items)
    assert sorted(made.order(epoch)) == sorted(window)
    assert len(set(window)) == len(window)


@given(st.integers(2, 40), st.integers(1, 40), st.floats(0.01, 1))
def test_the_window_moves_by_the_replaced_part_and_comes_round(items: int, cached: int, replaced: float) -> None:
    made = plan(items, cached=cached, replace_percent=replaced)
    if cached >= items:
        assert made.window(1) == made.window(7) == list(range(items))
        return
    step = math.ceil(round(cached * replaced, 9))
    assert [made.window(e)[0] for e in (1, 2, 3)] == [0, step % items, 2 * step % items]
    seen = {index for epoch in range(1, math.ceil(items / step) + 2) for index in made.window(epoch)}
    assert seen == set(range(items))


def test_nothing_replaced_means_the_rest_is_never_seen() -> None:
    made = plan(10, cached=4)
    assert [made.window(epoch) for epoch in (1, 2, 50)] == [[0, 1, 2, 3]] * 3


def test_orders_are_a_function_of_seed_and_epoch() -> None:
    assert plan(20).order(3) == plan(20).order(3)
    assert plan(20).order(3) != plan(20).order(4)
    assert plan(20).order(3) != plan(20, seed=4).order(3)
    assert plan(20, shuffle=False).order(3) == list(range(20))
    assert plan(6, cached=4, replace_percent=0.5, shuffle=False).order(2) == [2, 3, 4, 5]
    assert plan(6, cached=4, replace_percent=0.5, shuffle=False).order(3) == [4, 5, 0, 1]


def test_items_per_category() -> None:
    """Every item of a category once before any a second time."""
    data = labelled(0, 0, 0, 0, 0, 0, 1, 1)
    made = plan(data, items_per_category=5)
    assert len(made) == 10
    orders = [made.order(epoch) for epoch in range(1, 30)]
    for order in orders:
        drawn = Counter(order)
        assert sum(drawn[i] for i in range(6)) == sum(drawn[i] for i in (6, 7)) == 5
        assert max(drawn[i] for i in range(6)) == 1
        assert sorted(drawn[i] for i in (6, 7)) == [2, 3]
    assert set().union(*orders) == set(range(8))
    assert Counter(plan(data, items_per_category=[1, 4]).order(1)).total() == 5


def test_category_weights_are_the_law() -> None:
    data = labelled(*[0] * 30, *[1] * 10)
    drawn = Counter(data[i]["label"] for e in range(100) for i in plan(data, category_weights=[1, 3]).order(e))
    assert drawn[1] / drawn.total() == pytest.approx(0.75, abs=5 * math.sqrt(0.75 * 0.25 / 4000))
    named = Counter(
        data[i]["label"] for e in range(100) for i in plan(data, category_weights={"0": 1, "1": 1}).order(e)
    )
    automatic = Counter(data[i]["label"] for e in range(100) for i in plan(data, sampling="automatic").order(e))
    assert named == automatic
    assert named[0] / named.total() == pytest.approx(0.5, abs=5 * 0.5 / math.sqrt(4000))


def test_categories() -> None:
    assert category_of({"label": [0, 1]}, 0) == "[0, 1]"
    assert category_of({"label": "a.nii", "category": "tumour"}, 0) == "tumour"
    with pytest.raises(ClaraError, match="item 7 of the data list has no category to balance by: give every item"):
        category_of({"label": "a.nii"}, 7)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"category_weights": [1, 2, 3]}, "category_weights has 3 numbers, the data list 2 categories"),
        ({"category_weights": {"0": 1, "2": 1}}, r"names the categories \['0', '2'\], the data list has \['0', '1'\]"),
        ({"category_weights": [0, 0]}, "not all of them 0"),
        ({"items_per_category": -1}, "expected numbers of at least 0"),
    ],
)
def test_numbers_that_do_not_fit(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ClaraError, match=message):
        plan(labelled(0, 1, 1), **options)


def test_a_fraction_is_not_rounded_up_by_its_binary_form() -> None:
    assert plan(200, cached=100, replace_percent=0.07).replaced == 7


def test_a_window_without_a_category_is_filled_by_the_others() -> None:
    """The length of an epoch never changes: an engine counts on it."""
    made = plan(labelled(*[0] * 5, *[1] * 5), cached=4, replace_percent=1.0, items_per_category=3)
    assert {len(made.order(epoch)) for epoch in range(1, 8)} == {len(made)} == {6}
    weighted = plan(labelled(*[0] * 5, *[1] * 5), cached=4, replace_percent=1.0, category_weights=[0, 1])
    assert {len(weighted.order(epoch)) for epoch in range(1, 8)} == {4}
