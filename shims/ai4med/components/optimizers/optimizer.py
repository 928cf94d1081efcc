"""Legacy path of ``Optimizer``."""

from clara_compat.components.optimizers.optimizer import Optimizer as Optimizer
