"""Legacy path of ``ConvertToMultiChannelBasedOnBratsClasses``."""

from clara_compat.components.transforms.convert_to_multi_channel_based_on_brats_classes import (
    ConvertToMultiChannelBasedOnBratsClasses as ConvertToMultiChannelBasedOnBratsClasses,
)
