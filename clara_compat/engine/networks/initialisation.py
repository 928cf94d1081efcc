"""TensorFlow's weight initialisation for a torch module."""

from __future__ import annotations

import math
from typing import Literal

from torch import nn

__all__ = ["KERNEL_LAYERS", "tensorflow_initialisation_"]

KERNEL_LAYERS = (
    nn.Linear,
    nn.Conv1d,
    nn.Conv2d,
    nn.Conv3d,
    nn.ConvTranspose1d,
    nn.ConvTranspose2d,
    nn.ConvTranspose3d,
)
"""Layers with a kernel, which TensorFlow initialises and regularises."""

_TRUNCATED = 0.87962566103423978
"""Standard deviation of a standard normal law cut off at two standard deviations."""


def tensorflow_initialisation_(
    module: nn.Module, law: Literal["glorot_uniform", "he_normal"] = "glorot_uniform"
) -> nn.Module:
    """Give every convolution, transposed convolution and linear layer in ``module`` TensorFlow's first weights.

    Kernels are Glorot uniform, U(-a, a) with a = sqrt(6 / (fan_in + fan_out)) where a fan is the number of channels
    on that side times the number of kernel elements; biases are zero. That is the default of every TensorFlow 1 layer.
    TensorFlow's He normal law is a normal one cut off at two standard deviations, its variance 2 / fan_in after that.
    Torch starts the same layers from a Kaiming uniform law with random biases. Normalisation layers keep torch's start,
    which is TensorFlow's too (scale 1, offset 0, running mean 0, running variance 1).

    The order of draws is the order of ``module.modules()``, so that one seed gives one network.

    Args:
        module: changed in place.
        law: of the kernels.

    Returns:
        The same module.
    """
    for layer in module.modules():
        if isinstance(layer, KERNEL_LAYERS):
            # Transposed layers need no case: Glorot's sum of both fans does not depend on which axis holds the inputs,
            # and TensorFlow takes the last axis but one of a kernel for the inputs, where transposed ones have outputs.
            if law == "he_normal":
                fan_in = layer.weight[0].numel()
                limit = 2.0 * math.sqrt(2.0 / fan_in) / _TRUNCATED
                nn.init.trunc_normal_(layer.weight, std=limit / 2.0, a=-limit, b=limit)
            else:
                nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return module
