"""Legacy path of ``ComputeDice``."""

from clara_compat.components.aux_ops.compute_dice import ComputeDice as ComputeDice
