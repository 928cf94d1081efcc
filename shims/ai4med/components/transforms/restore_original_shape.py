"""Legacy path of ``RestoreOriginalShape``."""

from clara_compat.components.transforms.restore_original_shape import RestoreOriginalShape as RestoreOriginalShape
