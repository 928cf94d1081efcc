"""Legacy path of ``Adam``."""

from clara_compat.components.optimizers.adam import Adam as Adam
