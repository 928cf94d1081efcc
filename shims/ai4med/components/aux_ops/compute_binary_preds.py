"""Legacy path of ``ComputeBinaryPreds``."""

from clara_compat.components.aux_ops.compute_binary_preds import ComputeBinaryPreds as ComputeBinaryPreds
