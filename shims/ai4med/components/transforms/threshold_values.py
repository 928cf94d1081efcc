"""Legacy path of ``ThresholdValues``."""

from clara_compat.components.transforms.threshold_values import ThresholdValues as ThresholdValues
