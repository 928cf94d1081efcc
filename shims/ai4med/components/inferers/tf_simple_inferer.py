"""Legacy path of ``TFSimpleInferer``."""

from clara_compat.components.inferers.tf_simple_inferer import TFSimpleInferer as TFSimpleInferer
