"""Legacy path of ``TransformContext``."""

from clara_compat.common.transform_ctx import TransformContext as TransformContext
