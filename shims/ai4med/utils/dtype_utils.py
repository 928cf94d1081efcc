"""Legacy path of ``str_to_dtype``."""

from clara_compat.common.dtype_utils import str_to_dtype as str_to_dtype
