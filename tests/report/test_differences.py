"""What the training report draws as the error of a case."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from clara_compat.report.training.page import _wrong


def mask(*rows: str) -> np.ndarray:
    return np.array([[character == "x" for character in row] for row in rows])


def layer(name: str, *rows: str) -> SimpleNamespace:
    return SimpleNamespace(name=name, mask=mask(*rows))


def test_missed_too_much_and_another_class() -> None:
    shown = SimpleNamespace(
        label=[layer("a", "xx..", "...."), layer("b", "..x.", "....")],
        prediction=[layer("a", "x.x.", "...."), layer("b", "....", "...x")],
    )
    wrong = {name: found for name, _, found in _wrong(shown)}
    assert np.array_equal(wrong["missed"], mask(".x..", "...."))
    assert np.array_equal(wrong["too much"], mask("....", "...x"))
    assert np.array_equal(wrong["another class"], mask("..x.", "...."))


def test_without_a_class_in_common_nothing_is_said() -> None:
    assert _wrong(SimpleNamespace(label=[layer("a", "x")], prediction=[])) == []
