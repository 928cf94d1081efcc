"""Legacy path of the operations of classification."""

from clara_compat.components.aux_ops.compute_binary_preds import ComputeBinaryPreds as ComputeBinaryPreds
from clara_compat.components.aux_ops.compute_multiclass_accuracy import (
    ComputeMulticlassAccuracy as ComputeMulticlassAccuracy,
)
from clara_compat.components.aux_ops.compute_multiclass_preds import ComputeMulticlassPreds as ComputeMulticlassPreds
