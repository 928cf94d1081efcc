"""Legacy path of ``ComputeAverageDice``."""

from clara_compat.components.metrics.compute_average_dice import ComputeAverageDice as ComputeAverageDice
