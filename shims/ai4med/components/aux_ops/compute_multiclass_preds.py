"""Legacy path of ``ComputeMulticlassPreds``."""

from clara_compat.components.aux_ops.compute_multiclass_preds import ComputeMulticlassPreds as ComputeMulticlassPreds
