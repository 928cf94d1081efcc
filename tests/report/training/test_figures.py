from __future__ import annotations

import numpy as np
import pytest

from clara_compat.report.training.case_figures import case_figures
from clara_compat.report.training.case_table import case_table, number
from clara_compat.report.training.curves import curves
from clara_compat.report.training.data import CaseFigures, CaseSet, Epoch, Training, Voxels
from clara_compat.report.training.figures import plain_text, thinned
from clara_compat.report.training.page import training_page


def test_a_thinned_line_keeps_its_ends_and_its_peaks() -> None:
    values = np.sin(np.arange(10_000) / 50.0).tolist()
    values[4321], values[777] = 9.0, -9.0
    places, kept = thinned(list(range(10_000)), values, most=200)
    assert len(places) <= 202
    assert (places[0], places[-1]) == (0, 9999)
    assert (max(kept), min(kept)) == (9.0, -9.0)
    assert places == sorted(places)
    assert all(values[place] == value for place, value in zip(places, kept, strict=True))
    assert thinned([1, 2], [3.0, 4.0]) == ([1, 2], [3.0, 4.0])


@pytest.mark.parametrize(
    ("name", "shown"), [("dice", "dice"), ("_x", " _x"), ("a\x00b\ud800", "a\ufffdb\ufffd"), ("y" * 60, "y" * 40 + "…")]
)
def test_names_in_figures(name: str, shown: str) -> None:
    assert plain_text(name) == shown


def test_a_figure_for_each_quantity() -> None:
    epochs = [
        Epoch(n, 1 / n, 0.1**n, 1.0, 0.5, {"acc": n / 9}, {"dice $x$": n / 10, "acc": n / 8} if n > 1 else None)
        for n in (1, 2, 3)
    ]
    found, left_out = curves(Training("a", "b", epochs, key_metric="dice $x$", best_epoch=3, best_value=0.3))
    titles = ["Training loss", "dice $x$ (key metric)", "acc", "Learning rate", "Time per epoch"]
    assert ([one.title for one in found], left_out) == (titles, 0)
    key = found[1].svg.decode()
    assert "best: 0.300 after epoch 3" in key
    assert "dice $x$" in key
    assert (
        found[2].words
        == "training: 0.1111 at epoch 1, 0.3333 at epoch 3; validation: 0.25 at epoch 2, 0.375 at epoch 3"
    )
    again, _ = curves(Training("a", "b", epochs, key_metric="dice $x$", best_epoch=3, best_value=0.3))
    assert [one.svg for one in again] == [one.svg for one in found]


def test_too_many_metrics_are_counted() -> None:
    epochs = [Epoch(1, metrics={f"m{index}": 0.5 for index in range(20)})]
    found, left_out = curves(Training("a", "b", epochs))
    assert (len(found), left_out) == (8, 12)
    assert curves(Training("a", "b")) == ([], 0)


def segmented() -> CaseSet:
    figures = [
        CaseFigures(f"c{i}", {"dice": dice}, [dice], [Voxels(1, 100 * i + 50, 100 * i + 80)], 2.0)
        for i, dice in enumerate((0.9, 0.3, None, 0.6))
    ]
    return CaseSet({"dice": 0.6}, figures, "dice", classes=["foreground"], dice="dice")


def test_figures_of_a_segmentation() -> None:
    spread, sizes = case_figures(segmented())
    low, middle, high = np.percentile([0.9, 0.3, 0.6], (25, 50, 75))
    assert spread.words == f"worst 0.3, quartiles {low:.4g}, {middle:.4g} and {high:.4g}, best 0.9"
    assert sizes.words == "volume in the label (ml) from 0.16 to 0.76"


def test_the_table_of_a_segmentation() -> None:
    table = case_table(segmented())
    assert list(table.heads) == ["dice", "label, ml", "prediction, ml"]
    assert [(name, [text for text, _ in cells]) for name, cells in table.rows] == [
        ("c1", ["0.3000", "0.36", "0.3"]),
        ("c3", ["0.6000", "0.76", "0.7"]),
        ("c0", ["0.9000", "0.16", "0.1"]),
        ("c2", ["–", "0.56", "0.5"]),
    ]


def test_cases_without_a_row_are_counted() -> None:
    cases = [CaseFigures(f"c{i}", {"dice": i / 503}) for i in range(503)]
    page = training_page(Training("a", "b", [], cases=CaseSet({"dice": 0.5}, cases, "dice")), "now")
    assert "3 further cases have no row here." in page
    assert '<th scope="row">c499</th>' in page
    assert '<th scope="row">c500</th>' not in page


def test_a_classification() -> None:
    figures = [
        CaseFigures("a", scores=[0.9, 0.2], truth=[1, 0], error=0.15),
        CaseFigures("b", scores=[0.3, 0.6], truth=[1, None], error=0.7),
        CaseFigures("c", scores=[0.1, 0.4], truth=[0, 1], error=0.35),
    ]
    cases = CaseSet({"auc": 1.0}, figures, None)
    table = case_table(cases)
    assert list(table.heads) == ["distance from the truth", "output 0", "output 1"]
    assert table.rows[0] == ("b", [("0.7000", False), ("0.3000", True), ("0.6000", False)])
    roc = case_figures(cases)[-1]
    assert roc.title == "ROC curves"
    assert "output 0: 1.000" in roc.svg.decode()


@pytest.mark.parametrize(
    ("value", "text"), [(None, "–"), (0.0, "0"), (3.0, "3"), (0.5, "0.5000"), (1e-5, "1e-05"), (12345.6, "1.235e+04")]
)
def test_numbers(value: float | None, text: str) -> None:
    assert number(value) == text
