"""Legacy path of ``Metric``."""

from clara_compat.components.metrics.metric import Metric as Metric
