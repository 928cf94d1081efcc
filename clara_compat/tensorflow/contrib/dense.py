"""slim's fully connected layer and its biases alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch.nn import functional as F

from clara_compat.tensorflow.contrib.initializers import xavier_initializer
from clara_compat.tensorflow.contrib.parts import (
    Activation,
    Collections,
    LayerVariables,
    Normalizer,
    finished,
    floating,
    provided,
)
from clara_compat.tensorflow.initializers.laws import Zeros
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import register
from clara_compat.tensorflow.scopes import variable_scope

__all__ = ["bias_add", "fully_connected"]

_XAVIER = xavier_initializer()
_ZEROS = Zeros()


@provided("fully_connected")
def fully_connected(
    inputs: Any,
    num_outputs: int,
    activation_fn: Activation = torch.relu,
    normalizer_fn: Normalizer = None,
    normalizer_params: Mapping[str, Any] | None = None,
    weights_initializer: Any = _XAVIER,
    weights_regularizer: Any = None,
    biases_initializer: Any = _ZEROS,
    biases_regularizer: Any = None,
    reuse: Any = None,
    variables_collections: Collections = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    scope: Any = None,
) -> torch.Tensor:
    """Return a linear map of the last axis, normalised (then it has no biases) and activated.

    Raises:
        ClaraError: the inputs have no channels.
    """
    inputs = floating(inputs)
    if inputs.ndim < 2:
        raise refusal(f"a fully connected layer needs two axes or more, here the shape is {list(inputs.shape)}")
    with variable_scope(scope, "fully_connected", reuse=reuse) as opened:
        shape = [inputs.shape[-1], num_outputs]
        variable = LayerVariables(inputs.dtype, variables_collections, trainable)
        weights = variable("weights", shape, weights_initializer, weights_regularizer)
        biases = None
        if normalizer_fn is None and biases_initializer is not None:
            biases = variable("biases", shape[-1:], biases_initializer, biases_regularizer)
        outputs = F.linear(inputs, weights.t(), biases)
        return finished(outputs, opened, activation_fn, outputs_collections, normalizer_fn, normalizer_params)


_ACTIVATED: dict[str, Callable[[torch.Tensor], torch.Tensor] | None] = {
    "linear": None,
    "relu": torch.relu,
    "relu6": F.relu6,
    "elu": F.elu,
}
for _name, _activation in _ACTIVATED.items():
    _layer = partial(fully_connected, activation_fn=_activation)
    register(_layer, f"contrib.layers.{_name}", f"contrib.slim.{_name}")


@provided("bias_add")
def bias_add(
    inputs: Any,
    activation_fn: Activation = None,
    initializer: Any = _ZEROS,
    regularizer: Any = None,
    reuse: Any = None,
    variables_collections: Collections = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    data_format: str = "NHWC",
    scope: Any = None,
) -> torch.Tensor:
    """Return the inputs with a bias for each channel.

    Raises:
        ClaraError: the arguments do not fit the inputs.
    """
    if data_format not in ("NHWC", "NCHW"):
        raise refusal(f"data_format is {data_format!r}, expected 'NHWC' or 'NCHW'")
    first = data_format == "NCHW"
    inputs = floating(inputs, *((4,) if first else ()))
    with variable_scope(scope, "BiasAdd", reuse=reuse) as opened:
        variable = LayerVariables(inputs.dtype, variables_collections, trainable)
        biases = variable("biases", [inputs.shape[1 if first else -1]], initializer, regularizer)
        outputs = inputs + (biases[:, None, None] if first else biases)
        return finished(outputs, opened, activation_fn, outputs_collections)
