"""Legacy path of ``CropByPosNegRatioLabelOnly``."""

from clara_compat.components.transforms.crop_by_pos_neg_ratio_label_only import (
    CropByPosNegRatioLabelOnly as CropByPosNegRatioLabelOnly,
)
