"""Legacy path of ``ConvertToChannelsFirst``."""

from clara_compat.components.transforms.convert_to_channels_first import (
    ConvertToChannelsFirst as ConvertToChannelsFirst,
)
