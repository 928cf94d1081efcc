"""The table of cases, worst first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from clara_compat.report.training.data import CaseFigures, CaseSet

__all__ = ["CaseTable", "case_table", "number"]

_MOST_ROWS = 500
_MOST_METRICS, _MOST_CLASSES, _MOST_OUTPUTS = 8, 12, 12


@dataclass(frozen=True)
class CaseTable:
    """A table.

    Args:
        heads: of the columns after that of the names.
        rows: the case's name and its cells; a cell has a text and says whether it is marked.
        left_out: cases that have no row.
        marks: what marked cells mean; empty when there are none.
    """

    heads: Sequence[str]
    rows: Sequence[tuple[str, Sequence[tuple[str, bool]]]]
    left_out: int = 0
    marks: str = ""


def case_table(cases: CaseSet) -> CaseTable:
    """Return the table of a set of cases."""
    found = dict.fromkeys(name for case in cases.cases for name, value in case.metrics.items() if value is not None)
    names = list(dict.fromkeys(name for name in (cases.ranked_by, *found) if name is not None))[:_MOST_METRICS]
    has_errors = cases.ranked_by is None and cases.measure is not None
    classes = list(cases.classes)[:_MOST_CLASSES] if len(cases.classes) > 1 else []
    has_voxels = any(case.voxels for case in cases.cases)
    in_ml = has_voxels and all(case.voxel_mm3 for case in cases.cases if case.voxels)
    outputs = min(max((len(case.scores) for case in cases.cases), default=0), _MOST_OUTPUTS)
    unit = "ml" if in_ml else "voxels"
    sizes = [f"label, {unit}", f"prediction, {unit}"] if has_voxels else []
    heads = [cases.measure or ""] if has_errors else []
    heads += [*names, *(f"Dice of {name}" for name in classes), *sizes]
    heads += [f"output {index}" for index in range(outputs)]
    rows = []
    for case in cases.worst_first[:_MOST_ROWS]:
        cells = [(number(case.error), False)] if has_errors else []
        cells += [(number(case.metrics.get(name)), False) for name in names]
        cells += [(number(_at(case.dice, index)), False) for index in range(len(classes))]
        cells += [(text, False) for text in _sizes(case, in_ml=in_ml)] if has_voxels else []
        cells += [_output(case, index) for index in range(outputs)]
        rows.append((case.name, cells))
    marks = "Bold: the class is the case's." if outputs else ""
    return CaseTable(heads, rows, max(0, len(cases.cases) - _MOST_ROWS), marks)


def number(value: float | None) -> str:
    """Return a number for a table; a dash where there is none."""
    if value is None:
        return "–"
    if value == int(value) and abs(value) < 1e6:
        return f"{value:.0f}"
    return f"{value:.4f}" if 0.001 <= abs(value) < 100 else f"{value:.4g}"


def _at(values: Sequence[float | None], index: int) -> float | None:
    return values[index] if index < len(values) else None


def _sizes(case: CaseFigures, *, in_ml: bool) -> list[str]:
    if not case.voxels:
        return ["–", "–"]
    sums = [sum(one.label for one in case.voxels), sum(one.prediction for one in case.voxels)]
    return [f"{one * (case.voxel_mm3 or 0.0) / 1000:.4g}" if in_ml else str(one) for one in sums]


def _output(case: CaseFigures, index: int) -> tuple[str, bool]:
    return number(_at(case.scores, index)), _at(case.truth, index) == 1
