"""Legacy path of ``Momentum``."""

from clara_compat.components.optimizers.momentum import Momentum as Momentum
