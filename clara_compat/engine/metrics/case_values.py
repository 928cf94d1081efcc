"""What metrics keep of each case: those of the catalogue, and a user's own as far as it keeps a list."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

__all__ = ["CaseValues", "mean_of"]


class CaseValues:
    """Reads, batch after batch, the values that metrics have collected since it last looked.

    Args:
        metrics: by name. One that needs all cases, as an area under a curve does, has no value of a case.
    """

    def __init__(self, metrics: Mapping[str, Any]) -> None:
        self.metrics = {name: metric for name, metric in metrics.items() if getattr(metric, "per_case", True)}
        self._known: dict[str, int] = {}

    def reset(self) -> None:
        """Begin anew, as the metrics do."""
        self._known = {}

    def take(self, cases: int) -> dict[str, list[float] | None]:
        """Return the values of the batch that the metrics have just seen.

        Args:
            cases: how many cases the batch had.

        Returns:
            By metric a value per case, NaN where it is not defined; None from a metric that did not keep one for each.
        """
        found = {}
        for name, metric in self.metrics.items():
            kept = _kept(metric)
            new = kept[self._known.get(name, 0) :]
            self._known[name] = len(kept)
            is_each = len(new) == cases and getattr(metric, "is_local", True)
            found[name] = _numbers(new) if is_each else None
        return found


def mean_of(value: Any) -> float:
    """Return the mean of the finite numbers of a case, NaN without one.

    Args:
        value: a number or an array of numbers.

    Raises:
        TypeError: it is no number and holds none.
        ValueError: the same.
    """
    numbers = np.ravel(np.asarray(value, dtype=np.float64))
    finite = numbers[np.isfinite(numbers)]
    return float(finite.mean()) if finite.size else math.nan


def _kept(metric: Any) -> Any:
    """Return the list, or the flat array, of what a metric keeps."""
    values = getattr(metric, "values", None)
    if isinstance(values, list):
        return values
    while getattr(metric, "metric", None) is not None:  # a user's: the adapter, Metric, MetricList
        metric = metric.metric
    kept = getattr(metric, "_list", None)
    if isinstance(kept, np.ndarray):
        return kept.ravel()
    return kept if isinstance(kept, list) else []


def _numbers(values: Sequence[Any]) -> list[float] | None:
    try:
        return [mean_of(value) for value in values]
    except (TypeError, ValueError):  # a user's list holds whatever the user put there
        return None
