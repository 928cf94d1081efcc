"""Legacy path of ``PRelu``."""

from clara_compat.tensorflow.ai4med_operations.activation import PRelu as PRelu
