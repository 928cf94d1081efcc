"""Clara's ``ComputeAverageDice``."""

from __future__ import annotations

from clara_compat.components.component import Component, assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.finite import require_finite
from clara_compat.components.metrics.metric import Metric
from clara_compat.components.metrics.metric_average_from_array import MetricAverageFromArrayDice

__all__ = ["ComputeAverageDice"]


class ComputeAverageDice(Component, Metric):
    """The mean Dice of the thresholded prediction over the cases of a validation.

    Names and defaults: clara-3.1 engine facts, section 2.6.

    Args:
        name: name of the metric.
        field: ``model`` for the prediction.
        label_field: field of the label.
        is_2d: take the Dice of every slice along the last axis and average.
        remove_bg: leave channel 0 out.
        logit_thresh: threshold of the prediction.
        is_one_hot_targets: the label has one channel per class.
        report_path: folder for the reports; a relative one starts from the MMAR's root.
        do_summary: write the result to TensorBoard.
        do_print: show the result on the console.
        is_key_metric: the best model is the one with the highest result.

    Raises:
        ClaraError: the threshold is not finite.
    """

    fidelity = assumed(
        "each channel is thresholded by itself (>=), a class absent from a case's label is left out, the mean is taken "
        "over the classes and then over the cases; a single prediction channel is compared with the foreground"
    )
    becomes = "clara_compat.engine.metrics.dice.ClaraDice"

    def __init__(
        self,
        name: str,
        field: str,
        label_field: str = "label",
        is_2d: bool = False,
        remove_bg: bool = True,
        logit_thresh: float = 0.5,
        is_one_hot_targets: bool = False,
        report_path: str | None = None,
        do_summary: bool = True,
        do_print: bool = True,
        is_key_metric: bool = False,
    ) -> None:
        require_finite(logit_thresh=logit_thresh)
        metric = MetricAverageFromArrayDice(name, is_2d, remove_bg, logit_thresh, is_one_hot_targets, report_path)
        Metric.__init__(self, metric, field, label_field, do_summary, do_print, is_key_metric)
        self.name = name
        self.is_2d = is_2d
        self.remove_bg = remove_bg
        self.logit_thresh = logit_thresh
        self.is_one_hot_targets = is_one_hot_targets
        self.report_path = report_path

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the metric; the field ``model`` is MONAI's ``pred``."""
        return Entry(
            "clara_compat.engine.metrics.dice.ClaraDice",
            name=self.name,
            field="pred" if self.field == "model" else self.field,
            label_field=self.label_field,
            remove_bg=self.remove_bg,
            logit_thresh=self.logit_thresh,
            is_one_hot_targets=self.is_one_hot_targets,
            is_2d=self.is_2d,
            report_path=context.in_mmar(self.report_path),
        )
