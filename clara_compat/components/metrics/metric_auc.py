"""The area under the ROC curve over cases.

Source: Clara 3.1 API page of ``ai4med.libs.metrics``; clara-3.1-engine facts, section 2.6.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from clara_compat.common.auc import Average, auc_score, indicators
from clara_compat.common.label_format import label_sizes
from clara_compat.common.metric_report import write_auc_reports
from clara_compat.components.metrics.metric_list import MetricList, text_of

__all__ = ["MetricAUC"]


class MetricAUC(MetricList):
    """The area under the ROC curve of every class over all cases, averaged; numpy only.

    ``self._list`` holds a row of predictions per case, ``self._label_list`` a row of 1, 0 or nan.

    Args:
        name: name of the metric.
        report_path: folder of the report; without it there is none.
        auc_average: ``macro``, ``micro``, ``weighted`` or None, see :func:`~clara_compat.common.auc.auc_score`.
        class_index: take the area of this output only.
        include_list: average over these outputs only (its meaning is assumed).
    """

    def __init__(
        self,
        name: str,
        report_path: str | None = None,
        auc_average: Average | None = "macro",
        class_index: int | None = None,
        include_list: Sequence[int] | None = None,
    ) -> None:
        MetricList.__init__(self, name, report_path=report_path)
        self.auc_average = auc_average
        self.class_index = class_index
        self.include_list = include_list
        self._label_list: list[np.ndarray[Any, Any]] = []
        self._sizes: list[int] = []

    def update(self, value: Any, label_value: Any = None, filename: Any = "", data_prop: Any = None) -> None:
        """Add the predictions and the labels of one case.

        Args:
            value: (outputs,).
            label_value: (labels,): 0 or 1 for a binary label, the class for any other.
            filename: file name of the case, for the report.
            data_prop: properties of the data, whose ``label_format`` says how outputs and labels belong together.

        Raises:
            ClaraError: outputs and labels do not fit each other.
        """
        scores, labels = (np.ravel(np.asarray(one, dtype=np.float64)) for one in (value, label_value))
        declared = getattr(data_prop, "label_format", None)
        self._sizes = label_sizes(len(scores), len(labels), getattr(declared, "classes_per_label", None))
        rows = self._list if np.size(self._list) else np.empty((0, len(scores)))
        self._list = np.concatenate([rows, scores[None]])
        self._label_list.append(indicators(labels[None], self._sizes)[0])
        self._file_names.append(text_of(filename))

    def get(self) -> float:
        """Return the area; 0 without a case, nan when no class has positive and negative cases."""
        return self._score(self._list, np.stack(self._label_list)) if self._label_list else 0.0

    def reset(self) -> None:
        """Forget all cases."""
        MetricList.reset(self)
        self._label_list = []

    def name_new_values(self, filename: Any) -> None:
        """Nothing to do: :meth:`update` keeps the file names.

        Args:
            filename: path of the case's image.
        """

    def generate_report(self) -> None:
        """Write the report files into ``report_path``; without one, nothing.

        Raises:
            ClaraError: the folder or a file cannot be written.
        """
        if self.report_path is None:
            return
        files = [name or f"case_{number}" for number, name in enumerate(self._file_names, start=1)]
        scores = self._list if self._label_list else np.empty((0, 1))
        truth = np.stack(self._label_list) if self._label_list else np.empty((0, 1))
        result = self.get() if self._label_list else math.nan
        write_auc_reports(self.report_path, self.name, files, scores, truth, result)

    def _score(self, scores: np.ndarray[Any, Any], truth: np.ndarray[Any, Any]) -> float:
        columns = self.include_list if self.class_index is None else [self.class_index]
        return auc_score(scores, truth, self.auc_average, columns)
