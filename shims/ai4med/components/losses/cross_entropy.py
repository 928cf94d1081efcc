"""Legacy path of ``CrossEntropy``."""

from clara_compat.components.losses.cross_entropy import CrossEntropy as CrossEntropy
