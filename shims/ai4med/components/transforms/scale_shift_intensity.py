"""Legacy path of ``ScaleShiftIntensity``."""

from clara_compat.components.transforms.scale_shift_intensity import ScaleShiftIntensity as ScaleShiftIntensity
