"""Legacy path of ``CopyProperties``."""

from clara_compat.components.transforms.copy_properties import CopyProperties as CopyProperties
