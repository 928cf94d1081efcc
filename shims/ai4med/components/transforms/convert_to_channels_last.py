"""Legacy path of ``ConvertToChannelsLast``."""

from clara_compat.components.transforms.convert_to_channels_last import ConvertToChannelsLast as ConvertToChannelsLast
