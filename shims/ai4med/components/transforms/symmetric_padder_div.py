"""Legacy path of ``SymmetricPadderDiv``."""

from clara_compat.components.transforms.symmetric_padder_div import SymmetricPadderDiv as SymmetricPadderDiv
