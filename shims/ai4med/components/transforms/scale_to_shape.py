"""Legacy path of ``ScaleToShape``."""

from clara_compat.components.transforms.scale_to_shape import ScaleToShape as ScaleToShape
