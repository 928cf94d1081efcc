"""Clara's ``ComputeAverage``."""

from __future__ import annotations

import math

from clara_compat.components.component import Component, exact
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.metrics.metric import Metric
from clara_compat.components.metrics.metric_average import MetricAverage

__all__ = ["ComputeAverage"]


class ComputeAverage(Component, Metric):
    """The mean of a value over the batches of a validation (clara-3.1 engine facts, section 2.6).

    Args:
        name: name of the metric.
        field: ``loss``, or the tag of an auxiliary operation.
        invalid_value: a value to leave out; nan is left out in any case.
        report_path: folder for the reports; a relative one starts from the MMAR's root.
        do_summary: write the result to TensorBoard.
        do_print: show the result on the console.
        is_key_metric: the best model is the one with the highest result.
        negate_value: take minus the value.
    """

    fidelity = exact("one value per batch; infinite values are left out as nan is; 0 when no value is valid")
    becomes = "clara_compat.engine.metrics.average.ClaraAverage"

    def __init__(
        self,
        name: str,
        field: str,
        invalid_value: float = math.nan,
        report_path: str | None = None,
        do_summary: bool = True,
        do_print: bool = True,
        is_key_metric: bool = False,
        negate_value: bool = False,
    ) -> None:
        metric = MetricAverage(name, invalid_value, report_path, negate_value)
        Metric.__init__(self, metric, field, do_summary=do_summary, do_print=do_print, is_key_metric=is_key_metric)
        self.name = name
        self.invalid_value = invalid_value
        self.report_path = report_path
        self.negate_value = negate_value

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the metric; the field ``model`` is MONAI's ``pred``."""
        entry = Entry(
            "clara_compat.engine.metrics.average.ClaraAverage",
            name=self.name,
            field="pred" if self.field == "model" else self.field,
            negate_value=self.negate_value,
            report_path=context.in_mmar(self.report_path),
        )
        if not math.isnan(self.invalid_value):  # JSON has no nan, and nan is left out in any case
            entry.arguments["invalid_value"] = self.invalid_value
        if self.field == "loss":
            entry.arguments["loss"] = context.loss
        return entry
