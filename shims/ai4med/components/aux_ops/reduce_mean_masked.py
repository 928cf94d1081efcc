"""Legacy path of ``ReduceMeanMasked``."""

from clara_compat.components.aux_ops.reduce_mean_masked import ReduceMeanMasked as ReduceMeanMasked
