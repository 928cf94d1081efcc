"""Legacy path of ``MetricAverage``."""

from clara_compat.components.metrics.metric_average import MetricAverage as MetricAverage
