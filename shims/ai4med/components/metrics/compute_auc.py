"""Legacy path of ``ComputeAUC``."""

from clara_compat.components.metrics.compute_auc import ComputeAUC as ComputeAUC
