"""Legacy path of ``RMSProp``."""

from clara_compat.components.optimizers.rms_prop import RMSProp as RMSProp
