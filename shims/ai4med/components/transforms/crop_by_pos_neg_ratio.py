"""Legacy path of ``CropByPosNegRatio``."""

from clara_compat.components.transforms.crop_by_pos_neg_ratio import CropByPosNegRatio as CropByPosNegRatio
