"""Legacy path of ``LoadImageMasks``."""

from clara_compat.components.transforms.load_image_masks import LoadImageMasks as LoadImageMasks
