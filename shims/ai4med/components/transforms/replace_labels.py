"""Legacy path of ``ReplaceLabels``."""

from clara_compat.components.transforms.replace_labels import ReplaceLabels as ReplaceLabels
