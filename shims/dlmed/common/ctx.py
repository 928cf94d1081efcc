"""Legacy path of ``BaseContext``."""

from clara_compat.common.base_ctx import BaseContext as BaseContext
