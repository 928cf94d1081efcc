"""The average over cases of a number computed from whole arrays of predictions and labels.

Source: Clara 3.1 API page of ``ai4med.libs.metrics``; clara-3.1-engine facts, section 2.6.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from clara_compat.common.data_format import DataFormat
from clara_compat.components.metrics.metric_average import MetricAverage

__all__ = ["MetricAverageFromArray", "MetricAverageFromArrayDice"]

Array = np.ndarray[Any, Any]


class MetricAverageFromArray(MetricAverage):
    """The mean over the cases of ``reduction_fn(labels, preds)``.

    Args:
        name: name of the metric.
        reduction_fn: takes the arrays ``labels`` and ``preds`` of a case by these names and returns a number.
        invalid_value: such a number, and any nan, is left out.
        report_path: folder of the report; without it there is none.
    """

    def __init__(
        self,
        name: str,
        reduction_fn: Callable[..., Any],
        invalid_value: float = math.nan,
        report_path: str | None = None,
    ) -> None:
        MetricAverage.__init__(self, name, invalid_value=invalid_value, report_path=report_path)
        self.reduction_fn = reduction_fn

    def update(self, value: Any, label_value: Any = None, filename: Any = "", data_prop: Any = None) -> None:
        """Add one case.

        Args:
            value: predictions, (C, spatial...).
            label_value: labels, (C, spatial...).
            filename: file name of the case, for the report.
            data_prop: properties of the data; not used here.
        """
        number = self.reduction_fn(labels=np.asarray(label_value), preds=np.asarray(value))
        MetricAverage.update(self, number, label_value, filename, data_prop)


class MetricAverageFromArrayDice(MetricAverageFromArray):
    """The mean Dice of thresholded predictions; the mean over the classes, then over the cases.

    Args:
        name: name of the metric.
        is_2d: take the Dice of every slice along the last axis of a volume and average.
        remove_bg: leave channel 0 out when there are several. A single prediction channel is compared with the
            foreground.
        logit_thresh: threshold of the predictions (``>=``).
        is_one_hot_targets: the label has one channel per class.
        report_path: folder of the report; without it there is none.
    """

    def __init__(
        self,
        name: str,
        is_2d: bool = False,
        remove_bg: bool = True,
        logit_thresh: float = 0.5,
        is_one_hot_targets: bool = False,
        report_path: str | None = None,
    ) -> None:
        MetricAverageFromArray.__init__(self, name, self._dice, report_path=report_path)
        self.is_2d = is_2d
        self.remove_bg = remove_bg
        self.logit_thresh = logit_thresh
        self.is_one_hot_targets = is_one_hot_targets

    def update(self, value: Any, label_value: Any = None, filename: Any = "", data_prop: Any = None) -> None:
        """Add one case, whose arrays are (spatial..., C) where ``data_prop`` says that channels are last."""
        if getattr(data_prop, "data_format", None) == DataFormat.CHANNELS_LAST and np.ndim(value) > 1:
            value, label_value = np.moveaxis(value, -1, 0), np.moveaxis(label_value, -1, 0)
        MetricAverageFromArray.update(self, value, label_value, filename, data_prop)

    def _dice(self, labels: Array, preds: Array) -> float:
        """Return the mean over the classes; nan when the label has none of them."""
        axes = (0, 1) if self.is_2d and preds.ndim == 4 else None
        channels = range(1 if self.remove_bg and len(preds) > 1 else 0, len(preds))
        values = [_dice(preds[one] >= self.logit_thresh, self._true(labels, one, len(preds)), axes) for one in channels]
        finite = [value for value in values if not math.isnan(value)]
        return float(np.mean(finite)) if finite else math.nan

    def _true(self, labels: Array, channel: int, channels: int) -> Array:
        if self.is_one_hot_targets:
            return labels[channel] >= 0.5
        index = np.trunc(labels[0])
        return index >= 1 if channels == 1 else index == channel


def _dice(predicted: Array, true: Array, axes: tuple[int, ...] | None) -> float:
    """Return the Dice, averaged over the axis that is not summed; nan where the label is empty."""
    both, guessed, sizes = (np.atleast_1d(np.sum(one, axis=axes)) for one in (predicted & true, predicted, true))
    filled = sizes > 0
    values = 2.0 * both[filled] / (guessed + sizes)[filled]
    return float(np.mean(values)) if values.size else math.nan
