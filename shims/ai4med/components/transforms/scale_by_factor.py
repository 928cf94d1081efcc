"""Legacy path of ``ScaleByFactor``."""

from clara_compat.components.transforms.scale_by_factor import ScaleByFactor as ScaleByFactor
