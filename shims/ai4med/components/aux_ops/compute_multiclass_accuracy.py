"""Legacy path of ``ComputeMulticlassAccuracy``."""

from clara_compat.components.aux_ops.compute_multiclass_accuracy import (
    ComputeMulticlassAccuracy as ComputeMulticlassAccuracy,
)
