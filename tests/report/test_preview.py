"""The words of a preview."""

from __future__ import annotations

import numpy as np
import pytest

from clara_compat.report.preview import Cell, Column, ItemSteps, Layer, Picture, Sheet, number, rank, together


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (-1024, 4, "-1024"),
        (123456.7, 4, "123457"),
        (0.785156, 4, "0.7852"),
        (1.0, 4, "1"),
        (100, 2, "100"),
        (99.6, 2, "100"),
        (1.94, 2, "1.9"),
        (0.00012, 2, "0.00012"),
        (float("nan"), 4, "nan"),
    ],
)
def test_numbers(value: float, digits: int, text: str) -> None:
    assert number(value, digits) == text


def test_a_cell_in_words() -> None:
    cell = Cell(
        shape=(1, 96, 96, 48),
        layout="CDHW",
        spacing=(0.785156, 1.0, 7.5),
        low=-57.25,
        high=1166.0,
        values=("0", "1"),
        share=(0.0194, 0.0194),
        label_note="2 channels",
    )
    assert cell.shape_text == "CDHW 1×96×96×48"
    assert cell.spacing_text == "0.7852 × 1 × 7.5 mm"
    assert cell.range_text == "-57.25 … 1166"
    assert cell.label_text == "0, 1 · 1.9 % foreground · 2 channels"
    nothing = Cell()
    assert (nothing.shape_text, nothing.spacing_text, nothing.range_text, nothing.label_text) == (
        "no image",
        "",
        "",
        "",
    )
    assert Cell(values=tuple(map(str, range(40)))).label_text == "0, 1, 2, 3, 4, 5, 6, 7 … 39 (40 values)"


def test_one_cell_speaks_for_all_crops() -> None:
    picture = Picture(np.zeros((2, 2)), (2, 2), (0, 1))
    one = Cell(
        (1, 8),
        "CW",
        low=0,
        high=3,
        values=("0", "2"),
        share=(0.1, 0.1),
        changed=False,
        picture=picture,
        warnings=("a",),
    )
    other = Cell((1, 8), "CW", low=-1, high=1, values=("0", "10"), share=(0.5, 0.5), warnings=("a", "b"))
    both = together([one, other])
    assert (both.low, both.high, both.values, both.warnings) == (-1, 3, ("0", "2", "10"), ("a", "b"))
    assert both.label_text == "0, 2, 10 · 10 to 50 % foreground"
    assert both.changed
    assert both.picture is None


def test_layer_names_stand_in_their_order() -> None:
    def cell(*names: str) -> Cell:
        layers = [Layer(name, np.ones((2, 2), bool)) for name in names]
        return Cell(picture=Picture(np.zeros((2, 2)), (2, 2), (0, 1), layers))

    items = [ItemSteps("a", [[cell("10", "2")], [Cell()]]), ItemSteps("b", [[cell("channel 10", "channel 9", "-1")]])]
    assert Sheet("", "", [Column(1, "A")], items).layer_names == ["-1", "2", "10", "channel 9", "channel 10"]
    assert sorted(["b", "3", "a"], key=rank) == ["3", "a", "b"]
