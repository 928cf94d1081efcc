"""Legacy path of ``ArgmaxAcrossChannels``."""

from clara_compat.components.transforms.argmax_across_channels import ArgmaxAcrossChannels as ArgmaxAcrossChannels
