"""Legacy path of ``NormalizeNonzeroIntensities``."""

from clara_compat.components.transforms.normalize_nonzero_intensities import (
    NormalizeNonzeroIntensities as NormalizeNonzeroIntensities,
)
