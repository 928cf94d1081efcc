"""Legacy path of ``MetricAverageFromArrayDice``."""

from clara_compat.components.metrics.metric_average_from_array import (
    MetricAverageFromArrayDice as MetricAverageFromArrayDice,
)
