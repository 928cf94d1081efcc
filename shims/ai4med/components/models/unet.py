"""Legacy path of ``Unet``."""

from clara_compat.components.models.unet import Unet as Unet
