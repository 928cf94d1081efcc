"""Legacy path of ``MultiFormatTransformer``."""

from clara_compat.common.multi_format_transformer import MultiFormatTransformer as MultiFormatTransformer
