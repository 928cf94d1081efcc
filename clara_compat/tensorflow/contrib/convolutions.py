"""slim's convolutions and transposed convolutions: variables ``weights`` and ``biases``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from clara_compat.tensorflow import convolution as functions
from clara_compat.tensorflow.contrib.initializers import xavier_initializer
from clara_compat.tensorflow.contrib.parts import (
    Activation,
    Collections,
    LayerVariables,
    Normalizer,
    channels_first,
    finished,
    floating,
    provided,
)
from clara_compat.tensorflow.initializers.laws import Zeros
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.scopes import variable_scope
from clara_compat.tensorflow.shapes import sizes

__all__ = [
    "convolution",
    "convolution1d",
    "convolution2d",
    "convolution2d_transpose",
    "convolution3d",
    "convolution3d_transpose",
]

_XAVIER = xavier_initializer()
_ZEROS = Zeros()


def _convolution(name: str, dims: int | None, *names: str) -> Callable[..., torch.Tensor]:
    """Make and register the convolution of a number of spatial axes, or of as many as its inputs have."""

    def convolution(
        inputs: Any,
        num_outputs: int,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] = 1,
        padding: str = "SAME",
        data_format: str | None = None,
        rate: int | Sequence[int] = 1,
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
        conv_dims: int | None = dims,
    ) -> torch.Tensor:
        """Return a convolution, normalised (then it has no biases) and activated.

        Raises:
            ClaraError: the arguments do not fit the inputs, or there are strides and rates at once, as in TensorFlow.
        """
        inputs = floating(inputs, *((3, 4, 5) if conv_dims is None else (conv_dims + 2,)))
        axes = inputs.ndim - 2
        first = channels_first(data_format, axes, loose=True)
        widths = functions.per_axis(sizes(kernel_size), axes, "kernel_size")
        strides = functions.per_axis(sizes(stride), axes, "stride")
        rates = functions.per_axis(sizes(rate), axes, "rate")
        if max(strides) > 1 and max(rates) > 1:
            raise refusal(f"a convolution cannot have a stride ({strides}) and a rate ({rates}) at once")
        with variable_scope(scope, "Conv", reuse=reuse) as opened:
            shape = [*widths, inputs.shape[1 if first else -1], num_outputs]
            variable = LayerVariables(inputs.dtype, variables_collections, trainable)
            weights = variable("weights", shape, weights_initializer, weights_regularizer)
            biases = None
            if normalizer_fn is None and biases_initializer is not None:
                biases = variable("biases", shape[-1:], biases_initializer, biases_regularizer)
            outputs = functions.convolution(
                inputs, weights, strides, padding, channels_first=first, dilations=rates, bias=biases
            )
            return finished(outputs, opened, activation_fn, outputs_collections, normalizer_fn, normalizer_params)

    return _registered(convolution, name, *names)


def _transposed(name: str, dims: int, default_scope: str, *names: str) -> Callable[..., torch.Tensor]:
    """Make and register the transposed convolution of a number of spatial axes."""

    def convolution_transpose(
        inputs: Any,
        num_outputs: int,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] = 1,
        padding: str = "SAME",
        data_format: str | None = None,
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
        """Return a transposed convolution, normalised (then it has no biases) and activated.

        Raises:
            ClaraError: the arguments do not fit the inputs.
        """
        inputs = floating(inputs, dims + 2)
        first = channels_first(data_format, dims)
        widths = functions.per_axis(sizes(kernel_size), dims, "kernel_size")
        strides = functions.per_axis(sizes(stride), dims, "stride")
        with variable_scope(scope, default_scope, reuse=reuse) as opened:
            shape = [*widths, num_outputs, inputs.shape[1 if first else -1]]
            variable = LayerVariables(inputs.dtype, variables_collections, trainable)
            weights = variable("weights", shape, weights_initializer, weights_regularizer)
            biases = None
            if normalizer_fn is None and biases_initializer is not None:
                biases = variable("biases", [num_outputs], biases_initializer, biases_regularizer)
            outputs = functions.convolution_transpose(
                inputs, weights, strides, padding, channels_first=first, bias=biases
            )
            return finished(outputs, opened, activation_fn, outputs_collections, normalizer_fn, normalizer_params)

    return _registered(convolution_transpose, name, *names)


def _registered(function: Callable[..., torch.Tensor], name: str, *names: str) -> Callable[..., torch.Tensor]:
    function.__name__ = function.__qualname__ = name  # slim.repeat names its scopes by it
    return provided(name, *names)(function)


convolution = _convolution("convolution", None)
convolution1d = _convolution("convolution1d", 1, "conv1d")
convolution2d = _convolution("convolution2d", 2, "conv2d")
convolution3d = _convolution("convolution3d", 3, "conv3d")
convolution2d_transpose = _transposed("convolution2d_transpose", 2, "Conv2d_transpose", "conv2d_transpose")
convolution3d_transpose = _transposed("convolution3d_transpose", 3, "Conv3d_transpose", "conv3d_transpose")
