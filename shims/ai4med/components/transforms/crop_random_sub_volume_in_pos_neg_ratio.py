"""Legacy path of ``CropRandomSubVolumeInPosNegRatio``."""

from clara_compat.components.transforms.crop_random_sub_volume_in_pos_neg_ratio import (
    CropRandomSubVolumeInPosNegRatio as CropRandomSubVolumeInPosNegRatio,
)
