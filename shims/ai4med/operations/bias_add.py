"""Legacy path of ``bias_add``."""

from clara_compat.tensorflow.ai4med_operations.activation import bias_add as bias_add
