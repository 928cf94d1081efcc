"""Legacy path of ``FastPosNegRatioCropROI``."""

from clara_compat.components.transforms.fast_pos_neg_ratio_crop_roi import (
    FastPosNegRatioCropROI as FastPosNegRatioCropROI,
)
