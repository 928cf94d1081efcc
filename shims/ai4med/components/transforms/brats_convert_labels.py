"""Legacy path of ``BratsConvertLabels``."""

from clara_compat.components.transforms.brats_convert_labels import BratsConvertLabels as BratsConvertLabels
