"""One picture of a classification run: a few images with what the network said, its course, its ROC curves."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from clara_compat.common.auc import roc_auc
from clara_compat.report.course import Course, draw_course
from clara_compat.report.page import save_png

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["Example", "draw_roc", "roc_curve", "save_classification"]

# From Okabe and Ito's palette, which colour-blind readers can tell apart; the line styles differ as well.
_TRUE = "#E69F00"
_FALSE = "#56B4E9"
_CURVES = (("#0072B2", "-"), ("#D55E00", "--"), ("#009E73", "-."), ("#CC79A7", ":"))


@dataclass(frozen=True)
class Example:
    """One image with the network's answer.

    Args:
        name: for the title.
        image: grey values (rows, columns).
        scores: probability of each finding.
        truth: 1 where the finding is there.
    """

    name: str
    image: NDArray[np.floating]
    scores: NDArray[np.floating]
    truth: NDArray[np.floating]


def roc_curve(
    scores: NDArray[np.floating], truth: NDArray[np.floating]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return false and true positive rate for every threshold, from none to all; equal scores make one step.

    Args:
        scores: (N,), higher for cases that are more likely positive.
        truth: (N,), 1 for positive and 0 for negative, at least one of each.
    """
    order = np.argsort(-scores, kind="stable")
    scores, positive = scores[order], truth[order] == 1
    last = np.append(np.flatnonzero(np.diff(scores)), len(scores) - 1)
    hits = np.cumsum(positive)[last]
    alarms = np.cumsum(~positive)[last]
    return np.append(0, alarms / alarms[-1]), np.append(0, hits / hits[-1])


def save_classification(
    path: str | os.PathLike[str],
    examples: Sequence[Example],
    findings: Sequence[str],
    scores: NDArray[np.floating],
    truth: NDArray[np.floating],
    course: Course,
) -> None:
    """Draw the examples, the course and a ROC curve per finding as one PNG.

    Args:
        path: the file; it appears whole or not at all.
        examples: at least one.
        findings: names of the network's outputs.
        scores: (N, findings): probabilities of all test images.
        truth: (N, findings): 1, or 0.
        course: of the training.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    if not examples:
        raise ValueError("a picture needs at least one example")
    figure = Figure(figsize=(max(1.9 * len(examples), 11.4), 7.6), layout="constrained")
    FigureCanvasAgg(figure)
    halves = figure.add_gridspec(2, 1, height_ratios=(1.15, 1))
    above, below = figure.add_subfigure(halves[0]), figure.add_subfigure(halves[1])
    grid = above.subplots(2, len(examples), squeeze=False, height_ratios=(1.0, 0.16 * len(findings)))
    for column, example in enumerate(examples):
        _draw_example(grid[0, column], grid[1, column], example, findings if column == 0 else None)
    above.legend(
        handles=[Patch(facecolor=_TRUE, label="is there"), Patch(facecolor=_FALSE, hatch="//", label="is not there")],
        title="Probability of each finding on images not seen in training; the last ones were the hardest",
        loc="outside upper center",
        ncols=2,
        frameon=False,
    )
    loss, metric, roc = below.subplots(1, 3)
    draw_course((loss, metric), course, "AUC", "AUC on the images not trained on")
    draw_roc(roc, findings, scores, truth)
    save_png(Path(path), figure)


def _draw_example(picture: Axes, bars: Axes, example: Example, names: Sequence[str] | None) -> None:
    picture.imshow(example.image, cmap="gray", vmin=float(example.image.min()), vmax=float(example.image.max()))
    picture.set_title(example.name, fontsize=9)
    picture.set_axis_off()
    places = range(len(example.scores))
    drawn = bars.barh(places, example.scores, height=0.7)
    for bar, place, score, true in zip(drawn, places, example.scores, example.truth, strict=True):
        bar.set(facecolor=_TRUE if true else _FALSE, hatch="" if true else "//", edgecolor="white")
        inside = score > 0.6
        bars.text(
            score + (-0.03 if inside else 0.03), place, f"{score:.2f}", fontsize=8,
            ha="right" if inside else "left", va="center",
            bbox={"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.8},
        )  # fmt: skip
    bars.set(xlim=(0, 1), ylim=(len(places) - 0.5, -0.5), xticks=(0, 1))
    bars.set_yticks(places, labels=names if names is not None else [""] * len(places), fontsize=9)
    bars.tick_params(axis="x", labelsize=8)
    bars.spines[["top", "right"]].set_visible(False)


def draw_roc(axes: Axes, findings: Sequence[str], scores: NDArray[np.floating], truth: NDArray[np.floating]) -> None:
    """Draw the ROC curve of each finding that some cases have and some have not.

    Args:
        axes: where.
        findings: names of the outputs.
        scores: (N, findings).
        truth: (N, findings): 1 or 0; any other value leaves the case out.
    """
    axes.plot((0, 1), (0, 1), color="0.7", linewidth=1)
    for index, name in enumerate(findings):
        colour, style = _CURVES[index % len(_CURVES)]
        area = roc_auc(scores[:, index], truth[:, index])
        if np.isfinite(area):
            known = np.isin(truth[:, index], (0, 1))
            curve = roc_curve(scores[known, index], truth[known, index])
            axes.plot(*curve, color=colour, linestyle=style, label=f"{name}: {area:.3f}")
    axes.set(
        xlabel="false positive rate", ylabel="true positive rate",
        title="ROC curves and their areas", xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal",
    )  # fmt: skip
    axes.grid(alpha=0.3)
    if len(axes.lines) > 1:
        axes.legend(loc="lower right", fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)
