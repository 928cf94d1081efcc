"""The course of a training run: what is drawn over its epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["METRIC", "TRAINING", "Course", "draw_best", "draw_course", "draw_line", "over_epochs"]

# From Okabe and Ito's palette, which colour-blind readers can tell apart; the markers differ as well.
TRAINING = "#0072B2"
"""Colour of what was measured in training."""
METRIC = "#D55E00"
"""Colour of what was measured in a validation."""


@dataclass(frozen=True)
class Course:
    """The course of a training run.

    Args:
        epochs: numbers of the epochs, from 1.
        loss: mean training loss of each.
        validated: numbers of the epochs that were validated.
        metric: the key metric after each of those.
    """

    epochs: Sequence[int]
    loss: Sequence[float]
    validated: Sequence[int]
    metric: Sequence[float]

    @classmethod
    def from_stats(cls, stats: Mapping[str, Any]) -> Course:
        """Return the course of ``train_stats.json``'s content."""
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
            metric=[value for _, value in measured],
        )


def draw_course(panels: Sequence[Axes], course: Course, metric: str, title: str) -> None:
    """Draw the course on two panels.

    Args:
        panels: for the loss and for the metric.
        course: of the run.
        metric: name of the metric, which goes from 0 to 1.
        title: of the metric's panel.
    """
    left, right = panels
    draw_line(left, course.epochs, course.loss, TRAINING)
    left.set(ylabel="training loss", title="Training loss", ylim=(0, None))
    right.set(ylabel=metric, title=title, ylim=(0, 1.02))
    if course.validated:
        best = int(np.argmax(course.metric))
        draw_line(right, course.validated, course.metric, METRIC, marker="s", label="validation")
        draw_best(right, course.validated[best], course.metric[best])
        right.legend(loc="lower right")
    for panel in panels:
        over_epochs(panel, max(course.epochs, default=1))


def draw_line(
    axes: Axes,
    epochs: Sequence[int],
    values: Sequence[float],
    colour: str,
    marker: str = ".",
    label: str | None = None,
) -> None:
    """Draw values over epochs."""
    axes.plot(epochs, values, color=colour, marker=marker, markersize=4 if marker == "s" else None, label=label)


def draw_best(axes: Axes, epoch: int, value: float) -> None:
    """Mark the best value of a validation."""
    axes.plot(
        epoch, value, linestyle="none", marker="*", markersize=14, color=METRIC, markeredgecolor="black",
        label=f"best: {value:.3f} after epoch {epoch}",
    )  # fmt: skip


def over_epochs(axes: Axes, last: int) -> None:
    """Finish a panel whose horizontal axis is that of the epochs."""
    from matplotlib.ticker import MaxNLocator

    axes.set(xlabel="epoch", xlim=(0.5, max(last, 1) + 0.5))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
