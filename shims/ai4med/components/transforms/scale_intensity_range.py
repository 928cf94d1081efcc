"""Legacy path of ``ScaleIntensityRange``."""

from clara_compat.components.transforms.scale_intensity_range import ScaleIntensityRange as ScaleIntensityRange
