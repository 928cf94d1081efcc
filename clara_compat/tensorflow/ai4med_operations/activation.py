"""``ai4med.operations.activation`` and ``.bias_add``: small layers with a variable."""

from __future__ import annotations

from typing import Any

import torch

from clara_compat.tensorflow.ai4med_operations.layouts import channel_axis, image
from clara_compat.tensorflow.convert import as_tensor
from clara_compat.tensorflow.initializers.laws import Constant, Zeros
from clara_compat.tensorflow.registry import symbol
from clara_compat.tensorflow.scopes import get_variable, variable_scope

__all__ = ["PRelu", "bias_add"]


@symbol(
    "ai4med.operations.activation.PRelu",
    note="assumed: one slope for all channels is documented; its variable is called alpha and begins with 0.25.",
)
def PRelu(x: Any, name: str = "prelu_layer") -> torch.Tensor:
    """Return ``x`` where it is positive, elsewhere ``alpha * x``, of one alpha that is learnt.

    Args:
        x: any tensor.
        name: variable scope of ``alpha``.
    """
    x = as_tensor(x)
    with variable_scope(name):
        alpha = get_variable("alpha", [1], initializer=Constant(0.25))
    return torch.where(x > 0, x, alpha * x)


@symbol(
    "ai4med.operations.bias_add.bias_add",
    note="assumed: what it does is documented; its variable is called bias.",
)
def bias_add(x: Any, data_format: str) -> torch.Tensor:
    """Return feature maps with a bias, which is learnt, for each channel.

    Args:
        x: (N, C, spatial...), or (N, spatial..., C), of 2 or 3 spatial axes.
        data_format: ``channels_first`` or ``channels_last``.
    """
    x = image(x)
    axis = channel_axis(data_format, x.ndim)
    bias = get_variable("bias", [x.shape[axis]], initializer=Zeros())
    return x + (bias.reshape(-1, *[1] * (x.ndim - 2)) if axis == 1 else bias)
