"""The curves of a training: one figure for each quantity, over the epochs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clara_compat.report.course import METRIC, TRAINING, draw_best, draw_line, over_epochs
from clara_compat.report.training.data import Epoch, Training
from clara_compat.report.training.figures import new_figure, plain_text, svg_of, thinned

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Curve", "curves"]

_MOST_METRICS = 8
_LOGARITHMIC = 20.0
"""From this quotient of the largest and the smallest learning rate the axis is logarithmic."""


@dataclass(frozen=True)
class Curve:
    """A figure.

    Args:
        title: what it shows.
        words: the same for who does not see it.
        svg: the file.
    """

    title: str
    words: str
    svg: bytes


@dataclass(frozen=True)
class _Line:
    label: str
    colour: str
    marker: str
    epochs: list[int]
    values: list[float]


def curves(training: Training) -> tuple[list[Curve], int]:
    """Return the figures of a training, and how many metrics have none because there are too many."""
    epochs = training.epochs
    drawn = [
        _curve(training, "Training loss", "loss", [_training_line(epochs, lambda epoch: epoch.loss)]),
    ]
    names = list(dict.fromkeys(name for epoch in epochs for name in (*(epoch.metrics or {}), *epoch.train_metrics)))
    if training.key_metric in names:
        names.remove(training.key_metric)
        names.insert(0, training.key_metric)
    drawn += [_metric(training, name) for name in names[:_MOST_METRICS]]
    rate = _training_line(epochs, lambda epoch: epoch.learning_rate)
    drawn.append(_curve(training, "Learning rate", "learning rate", [rate], is_rate=True))
    seconds = [
        _training_line(epochs, lambda epoch: epoch.seconds),
        _validation_line(epochs, lambda epoch: epoch.validation_seconds),
    ]
    drawn.append(_curve(training, "Time per epoch", "seconds", seconds, from_zero=True))
    return [one for one in drawn if one is not None], max(0, len(names) - _MOST_METRICS)


def _metric(training: Training, name: str) -> Curve | None:
    lines = [
        _training_line(training.epochs, lambda epoch: epoch.train_metrics.get(name)),
        _validation_line(training.epochs, lambda epoch: (epoch.metrics or {}).get(name)),
    ]
    is_key = name == training.key_metric
    title = f"{plain_text(name)} (key metric)" if is_key else plain_text(name)
    return _curve(training, title, plain_text(name), lines, best=is_key)


def _training_line(epochs: Sequence[Epoch], read: Callable[[Epoch], float | None]) -> _Line:
    return _line("training", TRAINING, ".", epochs, read)


def _validation_line(epochs: Sequence[Epoch], read: Callable[[Epoch], float | None]) -> _Line:
    return _line("validation", METRIC, "s", epochs, read)


def _line(
    label: str, colour: str, marker: str, epochs: Iterable[Epoch], read: Callable[[Epoch], float | None]
) -> _Line:
    found = [(epoch.number, value) for epoch in epochs if (value := read(epoch)) is not None]
    return _Line(label, colour, marker, [number for number, _ in found], [value for _, value in found])


def _curve(
    training: Training,
    title: str,
    unit: str,
    lines: Sequence[_Line],
    *,
    best: bool = False,
    is_rate: bool = False,
    from_zero: bool = False,
) -> Curve | None:
    """Draw lines; None when there is nothing to draw."""
    lines = [line for line in lines if line.values]
    if not lines:
        return None
    with new_figure() as figure:
        axes = figure.subplots()
        for line in lines:
            marker = line.marker if len(line.values) <= 60 else ""
            draw_line(axes, *thinned(line.epochs, line.values), line.colour, marker=marker, label=line.label)
        axes.set(ylabel=unit, title=title)
        if is_rate:
            _scale(axes, lines[0].values)
        if from_zero:
            axes.set_ylim(0, None)
        if best and training.best_epoch is not None and training.best_value is not None:
            draw_best(axes, training.best_epoch, training.best_value)
        if len(lines) > 1 or best:
            axes.legend(loc="best")
        over_epochs(axes, max(epoch.number for epoch in training.epochs))
        return Curve(title, "; ".join(_words(line) for line in lines), svg_of(figure))


def _scale(axes: Axes, rates: Sequence[float]) -> None:
    positive = [rate for rate in rates if rate > 0]
    if positive and max(positive) / min(positive) >= _LOGARITHMIC:
        axes.set_yscale("log")
    else:
        axes.set_ylim(0, 1.1 * max(rates) if positive else None)


def _words(line: _Line) -> str:
    first, last = (f"{value:.4g} at epoch {epoch}" for epoch, value in (
        (line.epochs[0], line.values[0]), (line.epochs[-1], line.values[-1])
    ))  # fmt: skip
    return f"{line.label}: {first}" + (f", {last}" if len(line.values) > 1 else "")
