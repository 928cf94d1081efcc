"""One picture of a segmentation run: what the network found in a few scans, and how it got there."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["Case", "Curve", "save_overview"]

# From Okabe and Ito's palette, which colour-blind readers can tell apart; the line styles differ as well.
_TRUTH = "#E69F00"
_PREDICTION = "#56B4E9"
_LOSS = "#0072B2"
_DICE = "#D55E00"


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


@dataclass(frozen=True)
class Curve:
    """The course of a training run.

    Args:
        epochs: numbers of the epochs, from 1.
        loss: mean training loss of each.
        validated: numbers of the epochs that were validated.
        dice: validation Dice after each of those.
    """

    epochs: Sequence[int]
    loss: Sequence[float]
    validated: Sequence[int]
    dice: Sequence[float]

    @classmethod
    def from_stats(cls, stats: Mapping[str, Any]) -> Curve:
        """Return the curve of ``train_stats.json``'s content, with the key metric as Dice."""
        key = stats.get("key_metric")
        measured = [
            (epoch["epoch"], epoch["metrics"][key])
            for epoch in stats["epochs"]
            if epoch.get("metrics", {}).get(key) is not None
        ]
        return cls(
            epochs=[epoch["epoch"] for epoch in stats["epochs"]],
            loss=[epoch["loss"] for epoch in stats["epochs"]],
            validated=[epoch for epoch, _ in measured],
            dice=[value for _, value in measured],
        )


def save_overview(path: str | os.PathLike[str], cases: Sequence[Case], curve: Curve) -> Path:
    """Draw the cases, each as a transverse and a frontal slice through the organ, and the curve, as one PNG.

    Slices are shown as radiologists do: the patient's right on the left side.

    Args:
        path: the file; it appears whole or not at all.
        cases: at least one.
        curve: of the training run.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    if not cases:
        raise ValueError("a picture needs at least one case")
    figure = Figure(figsize=(max(3.3 * len(cases), 6.6), 8.8), layout="constrained")
    FigureCanvasAgg(figure)
    halves = figure.add_gridspec(2, 1, height_ratios=(2.15, 1))
    scans, course = figure.add_subfigure(halves[0]), figure.add_subfigure(halves[1])
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
    _draw_curve(course.subplots(1, 2), curve)

    target = Path(path)
    partial = target.with_name(f".partial_{os.getpid()}_{target.name}")
    figure.savefig(partial, format="png", dpi=110)
    return partial.replace(target)


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


def _draw_curve(panels: Sequence[Axes], curve: Curve) -> None:
    from matplotlib.ticker import MaxNLocator

    loss, dice = panels
    loss.plot(curve.epochs, curve.loss, color=_LOSS, marker=".", label="mean of the epoch")
    loss.set(xlabel="epoch", ylabel="training loss", title="Training loss", ylim=(0, None))
    dice.set(xlabel="epoch", ylabel="mean Dice", title="Dice on the scans not trained on", ylim=(0, 1))
    if curve.validated:
        best = int(np.argmax(curve.dice))
        dice.plot(curve.validated, curve.dice, color=_DICE, marker="s", markersize=4, label="validation")
        dice.plot(
            curve.validated[best], curve.dice[best], linestyle="none", marker="*", markersize=14, color=_DICE,
            markeredgecolor="black", label=f"best: {curve.dice[best]:.3f} after epoch {curve.validated[best]}",
        )  # fmt: skip
        dice.legend(loc="lower right")
    for panel in panels:
        panel.set_xlim(0.5, max(curve.epochs, default=1) + 0.5)
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
        panel.grid(alpha=0.3)
        panel.spines[["top", "right"]].set_visible(False)
