"""Legacy path of the functions of ``normalization``."""

from clara_compat.tensorflow.ai4med_operations.normalization import batch_norm as batch_norm
from clara_compat.tensorflow.ai4med_operations.normalization import group_norm as group_norm
from clara_compat.tensorflow.ai4med_operations.normalization import instance_norm as instance_norm
