"""States of random generators, and step values: what comes back is what was there."""

from __future__ import annotations

import enum
import io
import random
from typing import Any

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from clara_compat.engine.data.epoch_plan import EpochPlan
from clara_compat.engine.data.sampler import EpochSampler
from clara_compat.engine.generators import generator_states, set_generators
from clara_compat.engine.plain_data import plain_data
from clara_compat.engine.step_values import StepValues


def saved(content: Any) -> Any:
    """What a file of it gives back."""
    stream = io.BytesIO()
    torch.save(content, stream)
    stream.seek(0)
    return torch.load(stream, weights_only=True)


def drawn() -> list[Any]:
    return [torch.randn(3).tolist(), np.random.standard_normal(3).tolist(), [random.gauss(0, 1) for _ in range(3)]]


@pytest.mark.parametrize("half", [False, True])
def test_the_same_numbers_are_drawn_again(half: bool) -> None:
    """Also where half of a pair of normal numbers is kept for the next draw."""
    if half:
        np.random.standard_normal()
        random.gauss(0, 1)
    states = saved(generator_states())
    first = drawn()
    drawn()
    set_generators(states)
    assert drawn() == first


def test_values_of_steps() -> None:
    """A mean over an interrupted epoch is bit for bit that over an epoch in one go, in float64."""
    losses = torch.rand(7, generator=torch.Generator().manual_seed(0))
    whole, first = StepValues(), StepValues()
    for loss in losses:
        whole.append(loss)
    for loss in losses[:3]:
        first.append(loss)
    second = StepValues(saved(first.all()))
    for loss in losses[3:]:
        second.append(loss.reshape(1, 1))
    assert torch.equal(whole.all(), second.all())
    assert whole.all().mean().item() == second.all().mean().item() == losses.numpy().astype(np.float64).mean()
    assert StepValues().all().shape == (0,)


class Word(str, enum.Enum):
    LOSS = "loss"


def test_plain_data() -> None:
    image = MetaTensor(torch.ones(2))
    value = {Word.LOSS: np.float32(0.5), "torch": torch.__version__, "deep": [(np.int64(3), None, True), image, 2.5]}
    plain = saved(plain_data(value))
    assert plain == {"loss": 0.5, "torch": str(torch.__version__), "deep": [(3, None, True), plain["deep"][1], 2.5]}
    assert torch.equal(plain["deep"][1], torch.ones(2))
    assert {type(key) for key in plain} == {str}
    for foreign in ({1}, object(), np.zeros(2), [lambda: 0]):
        with pytest.raises(TypeError, match="a .*(set|object|ndarray|function)"):
            plain_data({"x": [foreign]})


@pytest.mark.parametrize("replicas", [1, 2])
def test_an_epoch_that_begins_within(replicas: int) -> None:
    plan = EpochPlan([{"image": str(i)} for i in range(10)], shuffle=True, seed=3)
    for rank in range(replicas):
        sampler = EpochSampler(plan, num_replicas=replicas, rank=rank)
        whole = sampler.keys(4)
        sampler.begin_at(4, 2)
        assert len(sampler) == 10 // replicas, "the length of an epoch does not change"
        sampler.set_epoch(4)
        assert list(sampler) == whole[2:]
        sampler.set_epoch(5)
        assert list(sampler) == sampler.keys(5)


def test_the_second_of_a_pair_of_normal_numbers_goes_on() -> None:
    """NumPy draws them in pairs and keeps one."""
    before = np.random.get_state()
    try:
        np.random.seed(5)
        np.random.standard_normal()
        states = generator_states()
        expected = np.random.standard_normal(3)
        np.random.seed(6)
        set_generators(states)
        np.testing.assert_array_equal(np.random.standard_normal(3), expected)
    finally:
        np.random.set_state(before)
