"""Legacy path of ``CropFixedSizeRandomCenter``."""

from clara_compat.components.transforms.crop_fixed_size_random_center import (
    CropFixedSizeRandomCenter as CropFixedSizeRandomCenter,
)
