"""Legacy path of ``MetricList``."""

from clara_compat.components.metrics.metric_list import MetricList as MetricList
