"""Legacy path of ``NegLoss``."""

from clara_compat.components.aux_ops.neg_loss import NegLoss as NegLoss
