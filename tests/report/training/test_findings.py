from __future__ import annotations

from collections.abc import Sequence

import pytest

from clara_compat.report.training.data import CaseFigures, CaseSet, Epoch, Training, Voxels
from clara_compat.report.training.findings import findings


def training(losses: Sequence[float], dices: Sequence[float | None], best: tuple[int, float] | None = None) -> Training:
    epochs = [
        Epoch(index + 1, loss, metrics=None if dice is None else {"dice": dice})
        for index, (loss, dice) in enumerate(zip(losses, dices, strict=True))
    ]
    epoch, value = best or (None, None)
    return Training("a", "b", epochs, key_metric="dice", best_epoch=epoch, best_value=value)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            training([0.5, 0.6], [0.1, 0.2], (2, 0.2)),
            ["has not fallen: 0.5 in the first epoch, 0.6", "longer training"],
        ),
        (
            training([0.5, 0.4, 0.3], [0.1, 0.8, 0.6], (2, 0.8)),
            ["best value, 0.8000 after epoch 2, dice fell to 0.6000"],
        ),
        (training([0.5, 0.4, 0.3], [0.1, 0.8, 0.79], (2, 0.8)), []),
        (training([0.5, 0.4], [None, None]), ["No epoch was validated"]),
        (Training("a", "b"), []),
    ],
)
def test_of_the_course(given: Training, expected: list[str]) -> None:
    found = findings(given)
    assert len(found) == len(expected)
    for sentence, part in zip(found, expected, strict=True):
        assert part in sentence


def cases(dices: Sequence[Sequence[float | None]], voxels: Sequence[tuple[int, int]] = ()) -> Training:
    figures = [
        CaseFigures(f"c{i}", {"dice": dice[0]}, dice, [Voxels(0, *voxels[i])] if voxels else [])
        for i, dice in enumerate(dices)
    ]
    classes = [f"class {i + 1}" for i in range(len(dices[0]))]
    return Training("a", "b", cases=CaseSet({}, figures, "dice", classes=classes))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (cases([[0.9], [0.9], [None]]), ["1 case of 3 has no value of dice"]),
        (
            cases([[0.9], [0.1], [0.9]]),
            ["The worst case, c1, weighs much: without it the mean of dice would be 0.9000"],
        ),
        (cases([[0.9, 0.2], [0.9, 0.4]]), ["Of 2 classes, class 2 has the smallest Dice (0.3000 over its cases)"]),
        (
            cases([[0.8]] * 3, [(150, 100), (120, 100), (90, 100)]),
            ["larger than the label in 2 of 3 cases (median 1.20"],
        ),
        (
            cases([[0.8]] * 3, [(50, 100), (60, 100), (90, 100)]),
            ["smaller than the label in 3 of 3 cases (median 0.60"],
        ),
        (cases([[0.8]] * 3, [(100, 100), (95, 100), (90, 0)]), []),
    ],
)
def test_of_the_cases(given: Training, expected: list[str]) -> None:
    found = findings(given)
    assert len(found) == len(expected), found
    for sentence, part in zip(found, expected, strict=True):
        assert part in sentence
