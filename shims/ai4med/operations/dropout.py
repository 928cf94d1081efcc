"""Legacy path of ``spatial_dropout``."""

from clara_compat.tensorflow.ai4med_operations.dropout import spatial_dropout as spatial_dropout
