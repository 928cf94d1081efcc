"""Clara's ``ComputeMulticlassAverage``."""

from __future__ import annotations

from clara_compat.common.auc import Average
from clara_compat.components.component import Component, assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.metrics.metric import Metric
from clara_compat.components.metrics.multiclass_average import MulticlassAverage
from clara_compat.errors import ClaraError

__all__ = ["ComputeMulticlassAverage"]


class ComputeMulticlassAverage(Component, Metric):
    """The mean over the labels of a classification of the area under the ROC curve of each.

    Names and defaults: clara-3.1 engine facts, section 2.6.

    Args:
        name: name of the metric.
        field: ``model`` for the predictions, or the tag of an auxiliary operation.
        label_field: field of the labels, or the tag of an auxiliary operation.
        report_path: folder for the reports; a relative one starts from the MMAR's root.
        auc_average: ``macro``, ``micro``, ``weighted`` or null: how the areas of the classes of a label become one.
        label_index: take this label only.
        do_summary: write the result to TensorBoard.
        do_print: show the result on the console.
        is_key_metric: the best model is the one with the highest result.

    Raises:
        ClaraError: for a negative index.
    """

    fidelity = assumed(
        "only the arguments are documented; as one of them is auc_average, it is the mean over the labels of the areas "
        "under the ROC curve of their classes, not of accuracies (ComputeMulticlassAccuracy gives those)"
    )
    becomes = "clara_compat.engine.metrics.auc.ClaraMulticlassAverage"

    def __init__(
        self,
        name: str,
        field: str,
        label_field: str,
        report_path: str | None = None,
        auc_average: Average | None = "macro",
        label_index: int | None = None,
        do_summary: bool = True,
        do_print: bool = True,
        is_key_metric: bool = False,
    ) -> None:
        metric = MulticlassAverage(name, report_path, auc_average, label_index)
        Metric.__init__(self, metric, field, label_field, do_summary, do_print, is_key_metric)
        self.name = name
        self.report_path = report_path
        self.auc_average = auc_average
        self.label_index = label_index
        if label_index is not None and label_index < 0:
            raise ClaraError(f"label_index is {label_index}, expected a label, counted from 0")

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the metric; the field ``model`` is MONAI's ``pred``.

        Raises:
            ClaraError: a label that the items do not have.
        """
        entry = Entry(
            self.becomes,
            name=self.name,
            field="pred" if self.field == "model" else self.field,
            label_field=self.label_field,
            average=self.auc_average,
            label_index=self.label_index,
            report_path=context.in_mmar(self.report_path),
        )
        if context.label_format is not None:
            if self.label_field == "label" and (self.label_index or 0) >= len(context.label_format):
                raise ClaraError(
                    f"metric '{self.name}' asks for label {self.label_index}, but output_label_format "
                    f"{list(context.label_format)} has {len(context.label_format)}, counted from 0"
                )
            entry.arguments["classes_per_label"] = list(context.label_format)
        return entry
