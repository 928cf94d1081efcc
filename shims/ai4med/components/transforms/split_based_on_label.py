"""Legacy path of ``SplitBasedOnLabel``."""

from clara_compat.components.transforms.split_based_on_label import SplitBasedOnLabel as SplitBasedOnLabel
