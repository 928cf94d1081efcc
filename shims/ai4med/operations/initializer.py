"""Legacy path of the functions of ``initializer``."""

from clara_compat.tensorflow.ai4med_operations.initializer import constant as constant
from clara_compat.tensorflow.ai4med_operations.initializer import get_initializer as get_initializer
from clara_compat.tensorflow.ai4med_operations.initializer import glorot_normal as glorot_normal
from clara_compat.tensorflow.ai4med_operations.initializer import glorot_uniform as glorot_uniform
from clara_compat.tensorflow.ai4med_operations.initializer import he_normal as he_normal
from clara_compat.tensorflow.ai4med_operations.initializer import he_uniform as he_uniform
from clara_compat.tensorflow.ai4med_operations.initializer import lecun_normal as lecun_normal
from clara_compat.tensorflow.ai4med_operations.initializer import lecun_uniform as lecun_uniform
from clara_compat.tensorflow.ai4med_operations.initializer import ones as ones
from clara_compat.tensorflow.ai4med_operations.initializer import orthogonal as orthogonal
from clara_compat.tensorflow.ai4med_operations.initializer import random_normal as random_normal
from clara_compat.tensorflow.ai4med_operations.initializer import random_uniform as random_uniform
from clara_compat.tensorflow.ai4med_operations.initializer import truncated_normal as truncated_normal
from clara_compat.tensorflow.ai4med_operations.initializer import variance_scaling as variance_scaling
from clara_compat.tensorflow.ai4med_operations.initializer import xavier_normal as xavier_normal
from clara_compat.tensorflow.ai4med_operations.initializer import xavier_uniform as xavier_uniform
from clara_compat.tensorflow.ai4med_operations.initializer import zeros as zeros
