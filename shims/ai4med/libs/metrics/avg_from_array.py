"""Legacy path of ``MetricAverageFromArray``."""

from clara_compat.components.metrics.metric_average_from_array import MetricAverageFromArray as MetricAverageFromArray
