"""Legacy path of ``SplitBasedOnBratsClasses``."""

from clara_compat.components.transforms.split_based_on_brats_classes import (
    SplitBasedOnBratsClasses as SplitBasedOnBratsClasses,
)
