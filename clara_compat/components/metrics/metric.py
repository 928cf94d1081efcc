"""The base of all metric components: which field of the validation feeds which metric.

Source: Clara 3.1 page "Bring your own components"; clara-3.1-engine facts, section 2.6.
"""

from __future__ import annotations

from typing import Any

from clara_compat.components.metrics.metric_list import MetricList
from clara_compat.errors import ClaraError

__all__ = ["Metric"]


class Metric:
    """Feeds a field of each validated case to a metric and asks it for the result.

    Constructor and attributes have Clara's argument names; the methods are assumed.

    Args:
        metric: collects the values, usually a :class:`MetricList`.
        field: ``model`` for the predictions, ``loss``, or a tag of an auxiliary operation.
        label_field: field of the labels, when the metric needs them.
        do_summary: write the result to TensorBoard.
        do_print: show the result on the console.
        is_key_metric: the best model is the one with the highest result of this metric.

    Raises:
        ClaraError: ``metric`` is not a :class:`MetricList`.
    """

    def __init__(
        self,
        metric: MetricList,
        field: str,
        label_field: str | None = None,
        do_summary: bool = True,
        do_print: bool = True,
        is_key_metric: bool = False,
    ) -> None:
        if not isinstance(metric, MetricList):
            raise ClaraError(
                f"argument 'metric' of {type(self).__name__} is a {type(metric).__name__}, expected a MetricList: "
                "derive it from ai4med.libs.metrics.metric_list.MetricList"
            )
        self.metric = metric
        self.field = field
        self.label_field = label_field
        self.do_summary = do_summary
        self.do_print = do_print
        self.is_key_metric = is_key_metric

    def get_name(self) -> str:
        """Return the name of the metric."""
        return self.metric.name

    def update(self, value: Any, label_value: Any = None, filename: Any = "", data_prop: Any = None) -> None:
        """Add one case: its value of ``field`` and, when ``label_field`` is set, its label.

        Args:
            value: the case's ``field``: an array (C, spatial...) of an image, else its values.
            label_value: its label in the same form, or None.
            filename: path of its image, or several.
            data_prop: what the pipeline says of the data.
        """
        self.metric.update(value, label_value, filename, data_prop)
        self.metric.name_new_values(filename)

    def get(self) -> float:
        """Return the result over all cases."""
        return float(self.metric.get())

    def reset(self) -> None:
        """Forget all cases: a new validation begins."""
        self.metric.reset()

    def generate_report(self) -> None:
        """Write the metric's report files, if it has a report path."""
        self.metric.generate_report()
