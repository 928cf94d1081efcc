"""Legacy path of ``ActivationFunc``, ``DataElementKey``, ``ImageProperty``."""

from clara_compat.common.constants import ActivationFunc as ActivationFunc
from clara_compat.common.constants import DataElementKey as DataElementKey
from clara_compat.common.constants import ImageProperty as ImageProperty
