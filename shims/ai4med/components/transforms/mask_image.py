"""Legacy path of ``MaskImage``."""

from clara_compat.components.transforms.mask_image import MaskImage as MaskImage
