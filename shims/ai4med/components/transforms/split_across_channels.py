"""Legacy path of ``SplitAcrossChannels``."""

from clara_compat.components.transforms.split_across_channels import SplitAcrossChannels as SplitAcrossChannels
