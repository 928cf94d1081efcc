"""One picture of a segmentation run: what the network found in a few scans, and how it got there."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from clara_compat.report.course import Course
from clara_compat.report.page import save_png

__all__ = ["Case", "save_overview"]

# From Okabe and Ito's palette, which colour-blind readers can tell apart; the line styles differ as well.
_TRUTH = "#E69F00"
_PREDICTION = "#56B4E9"


@dataclass(frozen=True)
class Case:
    """One scan with its segmentations, on one grid.

    Args:
        name: for the title.
        image: grey values (x, y, z), axes running to the patient's right, front and head.
        truth: label of the same shape; not 0 in the organ.
        prediction: the network's answer, likewise.
        spacing: voxel size in mm.
    """

    name: str
    image: NDArray[np.floating]
    truth: NDArray[Any]
    prediction: NDArray[Any]
    spacing: tuple[float, float, float]

    @property
    def dice(self) -> float:
        """Dice of prediction and truth; NaN when both are empty."""
        truth, prediction = self.truth > 0, self.prediction > 0
        total = int(truth.sum() + prediction.sum())
        return 2.0 * float((truth & prediction).sum()) / total if total else float("nan")


def save_overview(path: str | os.PathLike[str], cases: Sequence[Case], course: Course) -> Path:
    """Draw the cases, each as a transverse and a frontal slice through the organ, and the run's course, as one PNG.

    Slices are shown as radiologists do: the patient's right on the left side.

    Args:
        path: the file; it appears whole or not at all.
        cases: at least one.
        course: of the training run.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    from clara_compat.report.course import draw_course

    if not cases:
        raise ValueError("a picture needs at least one case")
    figure = Figure(figsize=(max(3.3 * len(cases), 6.6), 8.8), layout="constrained")
    FigureCanvasAgg(figure)
    halves = figure.add_gridspec(2, 1, height_ratios=(2.15, 1))
    scans, below = figure.add_subfigure(halves[0]), figure.add_subfigure(halves[1])
    grid = scans.subplots(2, len(cases), squeeze=False, height_ratios=(1.0, 0.72))
    for column, case in enumerate(cases):
        across, along = grid[:, column]
        _draw_slice(across, case, axis=2)
        _draw_slice(along, case, axis=1)
        across.set_title(f"{case.name}\nDice {case.dice:.3f}", fontsize=10)
        if column == 0:
            across.set_ylabel("front – back y (mm)")
            along.set_ylabel("head – foot z (mm)")
        along.set_xlabel("right – left x (mm)")
    scans.legend(
        handles=[
            Line2D([], [], color=_TRUTH, linewidth=1.8, label="truth"),
            Patch(facecolor=_PREDICTION + "66", edgecolor=_PREDICTION, linestyle="--", label="prediction"),
        ],
        loc="outside upper center",
        ncols=2,
        frameon=False,
    )
    draw_course(below.subplots(1, 2), course, "mean Dice", "Dice on the scans not trained on")
    save_png(Path(path), figure)
    return Path(path)


def _draw_slice(axes: Axes, case: Case, axis: int) -> None:
    """Draw the slice across ``axis`` (1 or 2) that shows most of the organ, with x to the left as seen."""
    organ = case.truth if (case.truth > 0).any() else case.prediction
    others = tuple(k for k in range(3) if k != axis)
    index = int((organ > 0).sum(axis=others).argmax())
    image, truth, prediction = (np.take(a, index, axis=axis).T for a in (case.image, case.truth, case.prediction))
    height, width = image.shape
    dx, dy = (case.spacing[k] for k in others)
    axes.imshow(
        image,
        cmap="gray",
        origin="lower",
        extent=(0, width * dx, 0, height * dy),
        vmin=float(case.image.min()),
        vmax=float(case.image.max()),
        interpolation="bilinear",
    )
    x, y = (np.arange(width) + 0.5) * dx, (np.arange(height) + 0.5) * dy
    if (prediction > 0).any():
        mask = (prediction > 0).astype(float)
        axes.contourf(x, y, mask, levels=(0.5, 1.5), colors=[_PREDICTION], alpha=0.3)
        axes.contour(x, y, mask, levels=(0.5,), colors=[_PREDICTION], linewidths=1.2, linestyles="--")
    if (truth > 0).any():
        axes.contour(x, y, (truth > 0).astype(float), levels=(0.5,), colors=[_TRUTH], linewidths=1.5)
    axes.invert_xaxis()
    axes.tick_params(labelsize=8)
    for place, letter in ((0.03, "R"), (0.97, "L")):
        axes.text(
            place, 0.95, letter, transform=axes.transAxes, color="white", fontsize=9, va="top",
            ha="left" if letter == "R" else "right",
        )  # fmt: skip
