"""Legacy path of ``UnetParallel``."""

from clara_compat.components.models.unet_parallel import UnetParallel as UnetParallel
