"""Legacy path of ``DataFormat``."""

from clara_compat.common.data_format import DataFormat as DataFormat
