"""Legacy path of ``TRTISSimpleInferer``."""

from clara_compat.components.inferers.trtis_simple_inferer import TRTISSimpleInferer as TRTISSimpleInferer
