"""Legacy path of ``MultiFieldTransformer``."""

from clara_compat.components.transforms.multi_field_transformer import MultiFieldTransformer as MultiFieldTransformer
