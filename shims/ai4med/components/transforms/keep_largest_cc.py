"""Legacy path of ``KeepLargestCC``."""

from clara_compat.components.transforms.keep_largest_cc import KeepLargestCC as KeepLargestCC
