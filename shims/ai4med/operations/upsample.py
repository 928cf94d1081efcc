"""Legacy path of the functions of ``upsample``."""

from clara_compat.tensorflow.ai4med_operations.upsample import upsample_linear as upsample_linear
from clara_compat.tensorflow.ai4med_operations.upsample import upsample_nearest as upsample_nearest
