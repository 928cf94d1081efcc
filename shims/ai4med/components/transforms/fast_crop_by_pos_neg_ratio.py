"""Legacy path of ``FastCropByPosNegRatio``."""

from clara_compat.components.transforms.fast_crop_by_pos_neg_ratio import FastCropByPosNegRatio as FastCropByPosNegRatio
