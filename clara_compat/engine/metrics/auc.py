"""Areas under the ROC curve over the cases of a validation: Clara's metrics of classification."""

from __future__ import annotations

import math
import os
from collections.abc import MutableMapping, Sequence
from typing import Any

import numpy as np
import torch
from monai.utils import CommonKeys

from clara_compat.common.auc import Average, auc_score, indicators, multiclass_auc
from clara_compat.common.label_format import label_sizes
from clara_compat.common.metric_report import write_auc_reports
from clara_compat.engine.distributed.gather import everybody
from clara_compat.engine.metrics.case_metric import CaseMetric
from clara_compat.errors import ClaraError

__all__ = ["ClaraAUC", "ClaraMulticlassAverage"]


class ClaraAUC(CaseMetric):
    """The area under the ROC curve of every output over all cases, averaged (clara-3.1 engine facts, section 2.6).

    Predictions and labels of a batch are fetched from the device in one go; the area needs all cases at once. Classes
    without positive or without negative cases are left out, and nan is the value when none is left.

    Args:
        field: the predictions, (N, outputs).
        label_field: the labels, (N, labels): 0 or 1 for a binary label, the class for any other; what is neither is
            left out.
        average: ``macro``, ``micro``, ``weighted`` or None, see :func:`~clara_compat.common.auc.auc_score`.
        outputs: the outputs that count; by default all.
        classes_per_label: for every label its number of classes, 1 for a binary one; by default as
            :func:`~clara_compat.common.label_format.label_sizes` reads it from the shapes.
        report_path: folder for the reports; none are written without it.
        name: the metric's name, for reports and messages.
    """

    per_case = False

    def __init__(
        self,
        field: str = CommonKeys.PRED,
        label_field: str = CommonKeys.LABEL,
        average: Average | None = "macro",
        outputs: Sequence[int] | None = None,
        classes_per_label: Sequence[int] | None = None,
        report_path: str | os.PathLike[str] | None = None,
        name: str = "auc",
    ) -> None:
        self.prediction_field = field
        self.label_field = label_field
        self.average = average
        self.outputs = None if outputs is None else list(outputs)
        self.classes_per_label = classes_per_label
        self.sizes: list[int] = []
        super().__init__(name, report_path)

    def case_values(self, output: MutableMapping[str, Any]) -> Sequence[np.ndarray]:
        """Return a row per case: its predictions, and for every output 1, 0 or nan."""
        scores = self._rows(output, self.prediction_field, "predictions")
        labels = self._rows(output, self.label_field, "labels").to(scores.device)
        if len(scores) != len(labels):
            raise ClaraError(f"metric '{self.name}': {len(scores)} predictions and {len(labels)} labels in one batch")
        try:
            self.sizes = label_sizes(scores.shape[1], labels.shape[1], self.classes_per_label)
        except ClaraError as error:
            raise ClaraError(f"metric '{self.name}': {error.message}") from None
        if self.outputs is not None and max(self.outputs) >= scores.shape[1]:
            raise ClaraError(
                f"metric '{self.name}' asks for output {max(self.outputs)}, but the network has {scores.shape[1]}, "
                "counted from 0"
            )
        fetched = torch.cat([scores, labels], dim=1).cpu().numpy()
        values, truth = np.split(fetched, [scores.shape[1]], axis=1)
        return list(np.concatenate([values, indicators(truth, self.sizes)], axis=1))

    def _gather(self) -> None:
        super()._gather()
        self.sizes = max(everybody(self.sizes), key=len)  # a process without a case has seen none

    def compute(self) -> float:
        """Return the area over all cases, nan when no class has positive and negative ones, 0 without a case."""
        return self._score(*self._table()) if self.values else 0.0

    def write_report(self) -> None:
        """Write the predictions and labels of every case and the area of every class."""
        if self.report_path is not None:
            scores, truth = self._table() if self.values else (np.empty((0, 1)), np.empty((0, 1)))
            result = self.compute() if self.values else math.nan
            write_auc_reports(self.report_path, self.name, self.files, scores, truth, result)

    def _score(self, scores: np.ndarray, truth: np.ndarray) -> float:
        return auc_score(scores, truth, self.average, self.outputs)

    def _table(self) -> tuple[np.ndarray, np.ndarray]:
        scores, truth = np.split(np.stack(self.values), 2, axis=1)
        return scores, truth

    def _rows(self, output: MutableMapping[str, Any], field: str, what: str) -> torch.Tensor:
        """Return a field as (N, numbers) in double precision, in which no label or float32 prediction changes."""
        value = torch.as_tensor(self.field(output, field))
        if value.ndim == 0 or math.prod(value.shape[2:]) != 1:
            raise ClaraError(
                f"metric '{self.name}': '{field}' has the shape {list(value.shape)}, expected {what} of a "
                "classification, one row of numbers per case"
            )
        return value.reshape(len(value), -1).double()


class ClaraMulticlassAverage(ClaraAUC):
    """The mean over the labels of the area under the ROC curve of each, which is that of its classes averaged.

    Clara documents only the arguments (clara-3.1 engine facts, section 2.6).

    Args:
        field: the predictions, (N, outputs).
        label_field: the labels, (N, labels).
        average: how the areas of the classes of a label become one.
        label_index: take this label only.
        classes_per_label: as in :class:`ClaraAUC`.
        report_path: folder for the reports; none are written without it.
        name: the metric's name, for reports and messages.
    """

    def __init__(
        self,
        field: str = CommonKeys.PRED,
        label_field: str = CommonKeys.LABEL,
        average: Average | None = "macro",
        label_index: int | None = None,
        classes_per_label: Sequence[int] | None = None,
        report_path: str | os.PathLike[str] | None = None,
        name: str = "multiclass_average",
    ) -> None:
        self.label_index = label_index
        super().__init__(field, label_field, average, None, classes_per_label, report_path, name)

    def case_values(self, output: MutableMapping[str, Any]) -> Sequence[np.ndarray]:
        """Return a row per case, see :class:`ClaraAUC`."""
        rows = super().case_values(output)
        if self.label_index is not None and self.label_index >= len(self.sizes):
            raise ClaraError(
                f"metric '{self.name}' asks for label {self.label_index}, but there are {len(self.sizes)}, counted "
                "from 0"
            )
        return rows

    def _score(self, scores: np.ndarray, truth: np.ndarray) -> float:
        return multiclass_auc(scores, truth, self.sizes, self.average, self.label_index)
