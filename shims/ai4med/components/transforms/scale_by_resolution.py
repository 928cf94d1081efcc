"""Legacy path of ``ScaleByResolution``."""

from clara_compat.components.transforms.scale_by_resolution import ScaleByResolution as ScaleByResolution
