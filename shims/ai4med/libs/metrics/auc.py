"""Legacy path of ``MetricAUC``."""

from clara_compat.components.metrics.metric_auc import MetricAUC as MetricAUC
