"""Legacy path of ``BuildContext``."""

from clara_compat.common.build_ctx import BuildContext as BuildContext
