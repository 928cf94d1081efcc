"""Legacy path of ``TRTISScanWindowInferer``."""

from clara_compat.components.inferers.trtis_scan_window_inferer import TRTISScanWindowInferer as TRTISScanWindowInferer
