"""Legacy path of ``Loss``."""

from clara_compat.components.losses.loss import Loss as Loss
