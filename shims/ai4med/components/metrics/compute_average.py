"""Legacy path of ``ComputeAverage``."""

from clara_compat.components.metrics.compute_average import ComputeAverage as ComputeAverage
