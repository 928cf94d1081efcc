"""Legacy path of ``ComputeAccuracy``."""

from clara_compat.components.aux_ops.compute_accuracy import ComputeAccuracy as ComputeAccuracy
