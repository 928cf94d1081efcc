"""The mean over labels of the area under the ROC curve of their classes.

Source: Clara 3.1 API page of ``ai4med.libs.metrics`` (name and arguments; what it computes is assumed).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from clara_compat.common.auc import Average, multiclass_auc
from clara_compat.components.metrics.metric_auc import MetricAUC

__all__ = ["MulticlassAverage"]


class MulticlassAverage(MetricAUC):
    """The area under the ROC curve of every label, averaged over its classes, and the mean of these over the labels.

    Args:
        name: name of the metric.
        report_path: folder of the report; without it there is none.
        auc_average: how the areas of the classes of a label become one.
        label_index: take this label only.
    """

    def __init__(
        self,
        name: str,
        report_path: str | None = None,
        auc_average: Average | None = "macro",
        label_index: int | None = None,
    ) -> None:
        MetricAUC.__init__(self, name, report_path=report_path, auc_average=auc_average)
        self.label_index = label_index

    def _score(self, scores: np.ndarray[Any, Any], truth: np.ndarray[Any, Any]) -> float:
        return multiclass_auc(scores, truth, self._sizes, self.auc_average, self.label_index)
