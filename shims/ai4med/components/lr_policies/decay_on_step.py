"""Legacy path of ``DecayOnStep``."""

from clara_compat.components.lr_policies.decay_on_step import DecayOnStep as DecayOnStep
