"""Class values of many inputs in one file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from clara_compat.common.class_table import ClassTable
from clara_compat.errors import ClaraError


def test_rows_of_an_earlier_run_stay(tmp_path: Path) -> None:
    """A run of other inputs that takes results over keeps those of inputs it does not have."""
    file = tmp_path / "preds.csv"
    file.write_text("a.png,0.25,0.75\nb.png,1,0\nc.png,0.5,0.5\n")
    table = ClassTable(file)
    assert [table.holds(name) for name in ("b.png", "c.png", "d.png")] == [True, True, False]
    np.testing.assert_array_equal(table.take_over("b.png"), [1, 0])
    table.add("c.png", np.array([0.0, 2.0]), "field 'model'")
    table.add("d.png", [3], "field 'model'")
    table.write()
    rows = [line.split(",") for line in file.read_text().splitlines()]
    assert {name: [float(value) for value in values] for name, *values in rows} == {
        "a.png": [0.25, 0.75],
        "b.png": [1, 0],
        "c.png": [0, 2],
        "d.png": [3],
    }


def test_a_run_that_does_not_ask_for_them_begins_anew(tmp_path: Path) -> None:
    file = tmp_path / "preds.csv"
    file.write_text("a.png,1,0\n")
    table = ClassTable(file)
    table.add("b.png", [1, 2], "field 'model'")
    table.write()
    assert file.read_text() == "b.png,1,2\n"


def test_messages(tmp_path: Path) -> None:
    file = tmp_path / "preds.csv"
    with pytest.raises(ClaraError, match="preds.csv has no row of 'a.png'"):
        ClassTable(file).take_over("a.png")
    with pytest.raises(ClaraError, match="field 'model' holds 'word', expected a value per class"):
        ClassTable(file).add("a.png", "word", "field 'model'")
    file.write_text("a.png,one\n")
    with pytest.raises(ClaraError, match="preds.csv cannot be read: "):
        ClassTable(file).holds("a.png")
    with pytest.raises(ClaraError, match="file.csv cannot be written: "):
        ClassTable(file / "file.csv").write()
