"""Legacy path of ``Transformer``."""

from clara_compat.components.transforms.transformer import Transformer as Transformer
