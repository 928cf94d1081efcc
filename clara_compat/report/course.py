"""The course of a training run: loss and key metric by epoch, as two panels of a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Course", "draw_course"]

# From Okabe and Ito's palette, which colour-blind readers can tell apart; the markers differ as well.
_LOSS = "#0072B2"
_METRIC = "#D55E00"


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
    from matplotlib.ticker import MaxNLocator

    left, right = panels
    left.plot(course.epochs, course.loss, color=_LOSS, marker=".")
    left.set(xlabel="epoch", ylabel="training loss", title="Training loss", ylim=(0, None))
    right.set(xlabel="epoch", ylabel=metric, title=title, ylim=(0, 1.02))
    if course.validated:
        best = int(np.argmax(course.metric))
        right.plot(course.validated, course.metric, color=_METRIC, marker="s", markersize=4, label="validation")
        right.plot(
            course.validated[best], course.metric[best], linestyle="none", marker="*", markersize=14, color=_METRIC,
            markeredgecolor="black", label=f"best: {course.metric[best]:.3f} after epoch {course.validated[best]}",
        )  # fmt: skip
        right.legend(loc="lower right")
    for panel in panels:
        panel.set_xlim(0.5, max(course.epochs, default=1) + 0.5)
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
        panel.grid(alpha=0.3)
        panel.spines[["top", "right"]].set_visible(False)
