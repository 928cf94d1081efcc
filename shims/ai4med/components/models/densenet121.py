"""Legacy path of ``DenseNet121``."""

from clara_compat.components.models.densenet121 import DenseNet121 as DenseNet121
