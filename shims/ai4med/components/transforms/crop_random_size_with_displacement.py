"""Legacy path of ``CropRandomSizeWithDisplacement``."""

from clara_compat.components.transforms.crop_random_size_with_displacement import (
    CropRandomSizeWithDisplacement as CropRandomSizeWithDisplacement,
)
