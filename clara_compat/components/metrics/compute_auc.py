"""Clara's ``ComputeAUC``."""

from __future__ import annotations

from clara_compat.common.auc import Average
from clara_compat.components.component import Component, assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.metrics.metric import Metric
from clara_compat.components.metrics.metric_auc import MetricAUC
from clara_compat.errors import ClaraError

__all__ = ["ComputeAUC"]


class ComputeAUC(Component, Metric):
    """The area under the ROC curve of a classification, over all cases of a validation.

    Names and defaults: clara-3.1 engine facts, section 2.6.

    Args:
        name: name of the metric.
        field: ``model`` for the predictions, or the tag of an auxiliary operation.
        label_field: field of the labels, or the tag of an auxiliary operation.
        report_path: folder for the reports; a relative one starts from the MMAR's root.
        auc_average: ``macro``, ``micro``, ``weighted`` or null: how the areas of the classes become one.
        class_index: take the area of this output of the network only.
        do_summary: write the result to TensorBoard.
        do_print: show the result on the console.
        is_key_metric: the best model is the one with the highest result.
        include_list: average over these outputs only.

    Raises:
        ClaraError: for a negative index, an empty list, or both ``class_index`` and ``include_list``.
    """

    fidelity = assumed(
        "one area per output of the network, each class of a label against its others; a class without positive or "
        "without negative cases, and a label that is no class, are left out; include_list names outputs; auc_average "
        "null gives the mean and the report each area"
    )
    becomes = "clara_compat.engine.metrics.auc.ClaraAUC"

    def __init__(
        self,
        name: str,
        field: str,
        label_field: str,
        report_path: str | None = None,
        auc_average: Average | None = "macro",
        class_index: int | None = None,
        do_summary: bool = True,
        do_print: bool = True,
        is_key_metric: bool = False,
        include_list: list[int] | None = None,
    ) -> None:
        metric = MetricAUC(name, report_path, auc_average, class_index, include_list)
        Metric.__init__(self, metric, field, label_field, do_summary, do_print, is_key_metric)
        self.name = name
        self.report_path = report_path
        self.auc_average = auc_average
        self.class_index = class_index
        self.include_list = include_list
        if class_index is not None and include_list is not None:
            raise ClaraError("class_index and include_list are both given: one says that a single output counts")
        for argument, outputs in (("class_index", [class_index or 0]), ("include_list", include_list)):
            if outputs is not None and (not outputs or min(outputs) < 0):
                raise ClaraError(f"{argument} is {outputs}, expected outputs of the network, counted from 0")

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the metric; the field ``model`` is MONAI's ``pred``.

        Raises:
            ClaraError: an output that the declared labels do not have.
        """
        entry = Entry(
            self.becomes,
            name=self.name,
            field="pred" if self.field == "model" else self.field,
            label_field=self.label_field,
            average=self.auc_average,
            report_path=context.in_mmar(self.report_path),
        )
        columns = self.include_list if self.class_index is None else [self.class_index]
        if columns is not None:
            entry.arguments["outputs"] = columns
        if context.label_format is not None:
            count = sum(context.label_format)
            if columns is not None and self.field == "model" and max(columns) >= count:
                raise ClaraError(
                    f"metric '{self.name}' asks for output {max(columns)}, but output_label_format "
                    f"{list(context.label_format)} makes {count}, counted from 0"
                )
            entry.arguments["classes_per_label"] = list(context.label_format)
        return entry
