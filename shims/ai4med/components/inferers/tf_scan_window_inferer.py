"""Legacy path of ``TFScanWindowInferer``."""

from clara_compat.components.inferers.tf_scan_window_inferer import TFScanWindowInferer as TFScanWindowInferer
