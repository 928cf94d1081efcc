"""Legacy path of ``ScaleIntensityOscillation``."""

from clara_compat.components.transforms.scale_intensity_oscillation import (
    ScaleIntensityOscillation as ScaleIntensityOscillation,
)
