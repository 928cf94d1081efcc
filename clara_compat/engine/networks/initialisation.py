"""TensorFlow's default weight initialisation for a torch module."""

from __future__ import annotations

from torch import nn

__all__ = ["tensorflow_initialisation_"]

_WITH_KERNEL = (
    nn.Linear,
    nn.Conv1d,
    nn.Conv2d,
    nn.Conv3d,
    nn.ConvTranspose1d,
    nn.ConvTranspose2d,
    nn.ConvTranspose3d,
)


def tensorflow_initialisation_(module: nn.Module) -> nn.Module:
    """Give every convolution, transposed convolution and linear layer in ``module`` TensorFlow's first weights.

    Kernels are Glorot uniform, U(-a, a) with a = sqrt(6 / (fan_in + fan_out)) where a fan is the number of channels
    on that side times the number of kernel elements; biases are zero. That is the default of every TensorFlow 1 layer.
    Torch starts the same layers from a Kaiming uniform law with random biases. Normalisation layers keep torch's start,
    which is TensorFlow's too (scale 1, offset 0, running mean 0, running variance 1).

    The order of draws is the order of ``module.modules()``, so that one seed gives one network.

    Args:
        module: changed in place.

    Returns:
        The same module.
    """
    for layer in module.modules():
        if isinstance(layer, _WITH_KERNEL):
            # The sum of both fans does not depend on which axis holds the inputs: transposed layers need no case.
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return module
