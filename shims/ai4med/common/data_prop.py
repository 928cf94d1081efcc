"""Legacy path of ``DataProperty``."""

from clara_compat.common.data_prop import DataProperty as DataProperty
