"""Legacy path of ``AdjustContrast``."""

from clara_compat.components.transforms.adjust_contrast import AdjustContrast as AdjustContrast
