"""Legacy path of ``AuxiliaryOperation``."""

from clara_compat.components.aux_ops.aux_op import AuxiliaryOperation as AuxiliaryOperation
