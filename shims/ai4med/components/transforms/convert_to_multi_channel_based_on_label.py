"""Legacy path of ``ConvertToMultiChannelBasedOnLabel``."""

from clara_compat.components.transforms.convert_to_multi_channel_based_on_label import (
    ConvertToMultiChannelBasedOnLabel as ConvertToMultiChannelBasedOnLabel,
)
