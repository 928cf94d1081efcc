"""The average of a value over cases.

Source: Clara 3.1 API page of ``ai4med.libs.metrics``; clara-3.1-engine facts, section 2.6.
"""

from __future__ import annotations

import math

from clara_compat.components.metrics.metric_list import MetricList

__all__ = ["MetricAverage"]


class MetricAverage(MetricList):
    """The mean over the cases, 0 when there is none.

    Args:
        name: name of the metric.
        invalid_value: as in :class:`MetricList`.
        report_path: folder of the report; without it there is none.
        negate_value: take the negative of each value, so that a loss can be a key metric (which is maximised).
    """

    def __init__(
        self,
        name: str,
        invalid_value: float = math.nan,
        report_path: str | None = None,
        negate_value: bool = False,
    ) -> None:
        MetricList.__init__(self, name, invalid_value=invalid_value, report_path=report_path)
        self.negate_value = negate_value

    def _stored(self, number: float) -> float:
        return -number if self.negate_value else number
