"""Legacy path of ``DiceMaskedOutput``."""

from clara_compat.components.aux_ops.dice_masked_output import DiceMaskedOutput as DiceMaskedOutput
