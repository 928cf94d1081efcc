"""Legacy path of ``ScaleBySpacing``."""

from clara_compat.components.transforms.scale_by_spacing import ScaleBySpacing as ScaleBySpacing
