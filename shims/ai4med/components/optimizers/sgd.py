"""Legacy path of ``SGD``."""

from clara_compat.components.optimizers.sgd import SGD as SGD
