"""Legacy path of ``ComputeMulticlassAverage``."""

from clara_compat.components.metrics.compute_multiclass_average import (
    ComputeMulticlassAverage as ComputeMulticlassAverage,
)
