from __future__ import annotations

import pickle

import pytest

from clara_compat.config.problems import ConfigErrors, Notice, Problems
from clara_compat.errors import Address, ClaraError

HERE = Address("c.json", 3, "train.loss")


def test_nothing_found():
    Problems().raise_any()


def test_one_error_is_raised_as_it_is():
    problems = Problems()
    problems.error("is wrong", HERE)
    with pytest.raises(ClaraError, match=r"^c.json:3 train.loss: is wrong$") as raised:
        problems.raise_any()
    assert type(raised.value) is ClaraError


def test_several_errors_print_one_a_line():
    problems = Problems()
    problems.error("is wrong", HERE)
    problems.take(ConfigErrors([ClaraError("second"), ClaraError("third")]))
    with pytest.raises(ConfigErrors) as raised:
        problems.raise_any()
    assert str(raised.value) == "c.json:3 train.loss: is wrong\nsecond\nthird"
    assert [error.message for error in raised.value.errors] == ["is wrong", "second", "third"]


def test_errors_survive_a_process_boundary():
    copied = pickle.loads(pickle.dumps(ConfigErrors([ClaraError("one", HERE), ClaraError("two")])))
    assert str(copied) == "c.json:3 train.loss: one\ntwo"


def test_notice():
    assert str(Notice(HERE, "is odd")) == "c.json:3 train.loss: is odd"
