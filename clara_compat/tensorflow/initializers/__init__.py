"""First values of variables: the laws, TensorFlow 1's names and Keras's.

Numbers come from torch's default generator, which the run seeds; an initializer with a ``seed`` of its own draws the
same ones every time.
"""

from clara_compat.tensorflow.initializers.keras import get
from clara_compat.tensorflow.initializers.scaled import VarianceScaling, glorot_uniform_initializer

__all__ = ["VarianceScaling", "get", "glorot_uniform_initializer"]
