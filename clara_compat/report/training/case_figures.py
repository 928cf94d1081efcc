"""Figures of the cases of a validation: how their values lie, what they have to do with the size, ROC curves."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np

from clara_compat.report.course import METRIC
from clara_compat.report.slice_picture import PALETTE
from clara_compat.report.training.curves import Curve
from clara_compat.report.training.data import CaseFigures, CaseSet
from clara_compat.report.training.figures import new_figure, plain_text, svg_of

__all__ = ["case_figures"]

_MOST_DOTS = 400
_MOST_CLASSES = 6
_WIDE = 10.0
"""From this quotient of the largest and the smallest volume the axis is logarithmic."""
_BOX = "#566173"


def case_figures(cases: CaseSet) -> list[Curve]:
    """Return the figures that these cases allow."""
    return [one for one in (_spread(cases), _sizes(cases), _roc(cases)) if one is not None]


def _spread(cases: CaseSet) -> Curve | None:
    """Draw the values of the metric that ranks: a dot for each case, and a box."""
    values = np.array(cases.values)
    if not values.size or cases.measure is None:
        return None
    name = plain_text(cases.measure)
    low, middle, high = (float(one) for one in np.percentile(values, (25, 50, 75)))
    with new_figure(height=1.9) as figure:
        axes = figure.subplots()
        line = {"color": _BOX}
        axes.boxplot(
            values, orientation="horizontal", positions=[0], widths=0.7, showfliers=False,
            boxprops=line, whiskerprops=line, capprops=line, medianprops={**line, "linewidth": 2},
        )  # fmt: skip
        dots = values[np.unique(np.linspace(0, len(values) - 1, min(len(values), _MOST_DOTS)).astype(int))]
        axes.plot(dots, _stacked(dots), ".", color=METRIC, alpha=0.8)
        axes.set(
            title=f"{name} of {len(values)} case{'' if len(values) == 1 else 's'}",
            xlabel=name,
            yticks=[],
            ylim=(-0.6, 0.6),
        )
        axes.grid(axis="x", alpha=0.3)
        axes.spines[["top", "right", "left"]].set_visible(False)
        words = f"worst {values[0]:.4g}, quartiles {low:.4g}, {middle:.4g} and {high:.4g}, best {values[-1]:.4g}"
        return Curve(f"{name} case by case", words, svg_of(figure))


def _stacked(values: np.ndarray) -> list[float]:
    """Return heights at which equal values lie beside each other."""
    span = float(values.max() - values.min()) or 1.0
    seen: Counter[int] = Counter()
    heights = []
    for value in values:
        place = round(40 * float(value) / span)
        heights.append((-1) ** seen[place] * 0.07 * ((seen[place] + 1) // 2))
        seen[place] += 1
    return [max(-0.5, min(0.5, height)) for height in heights]


def _sizes(cases: CaseSet) -> Curve | None:
    """Draw the Dice of a class over its volume in the label: small things have a small Dice."""
    points: dict[str, list[tuple[float, float]]] = {}
    in_ml = all(case.voxel_mm3 for case in cases.cases if case.voxels)
    for case in cases.cases:
        for name, dice, voxels in zip(cases.classes, case.dice, case.voxels, strict=False):
            if dice is not None and voxels.label:
                points.setdefault(name, []).append((_volume(case, voxels.label, in_ml=in_ml), dice))
    sizes = [size for found in points.values() for size, _ in found]
    if len(sizes) < 3 or max(sizes) == min(sizes):
        return None
    unit = "volume in the label (ml)" if in_ml else "voxels in the label"
    with new_figure() as figure:
        axes = figure.subplots()
        for index, (name, found) in enumerate(list(points.items())[:_MOST_CLASSES]):
            colour = METRIC if len(points) == 1 else PALETTE[index % len(PALETTE)]
            axes.plot(*zip(*found, strict=True), ".", color=colour, alpha=0.8, label=plain_text(name))
        if max(sizes) / min(sizes) >= _WIDE:
            axes.set_xscale("log")
        axes.set(title="Dice and size", xlabel=unit, ylabel="Dice", ylim=(-0.02, 1.02))
        if len(points) > 1:
            axes.legend(loc="lower right")
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
        words = f"{unit} from {min(sizes):.4g} to {max(sizes):.4g}"
        return Curve("Dice and size", words, svg_of(figure))


def _volume(case: CaseFigures, voxels: int, *, in_ml: bool) -> float:
    return voxels * (case.voxel_mm3 or 0.0) / 1000 if in_ml else float(voxels)


def _roc(cases: CaseSet) -> Curve | None:
    from clara_compat.report.classification import draw_roc

    outputs = Counter(len(case.scores) for case in cases.cases if case.scores and len(case.scores) == len(case.truth))
    if not outputs:
        return None
    [(count, _)] = outputs.most_common(1)
    rows = [case for case in cases.cases if len(case.scores) == len(case.truth) == count]
    shown = min(count, _MOST_CLASSES)
    scores = np.array([[_number(one) for one in case.scores[:shown]] for case in rows])
    truth = np.array([[_number(one) for one in case.truth[:shown]] for case in rows])
    names = [f"output {index}" for index in range(shown)]
    with new_figure(height=3.6) as figure:
        draw_roc(figure.subplots(), names, scores, truth)
        words = f"{shown} of {count} outputs" if shown < count else f"{count} outputs"
        return Curve("ROC curves", words, svg_of(figure))


def _number(value: float | None) -> float:
    return math.nan if value is None else value
