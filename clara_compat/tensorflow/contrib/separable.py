"""slim's convolutions channel by channel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from clara_compat.tensorflow.scopes import variable_scope
from clara_compat.tensorflow.shapes import sizes

__all__ = ["convolution2d_in_plane", "separable_convolution2d"]

_XAVIER = xavier_initializer()
_ZEROS = Zeros()


@provided("separable_convolution2d", "separable_conv2d")
def separable_convolution2d(
    inputs: Any,
    num_outputs: int | None,
    kernel_size: int | Sequence[int],
    depth_multiplier: int = 1,
    stride: int | Sequence[int] = 1,
    padding: str = "SAME",
    data_format: str | None = "NHWC",
    rate: int | Sequence[int] = 1,
    activation_fn: Activation = torch.relu,
    normalizer_fn: Normalizer = None,
    normalizer_params: Mapping[str, Any] | None = None,
    weights_initializer: Any = _XAVIER,
    pointwise_initializer: Any = None,
    weights_regularizer: Any = None,
    biases_initializer: Any = _ZEROS,
    biases_regularizer: Any = None,
    reuse: Any = None,
    variables_collections: Collections = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    scope: Any = None,
) -> torch.Tensor:
    """Return a convolution of each channel, whose results a 1x1 convolution mixes unless ``num_outputs`` is None.

    Raises:
        ClaraError: the arguments do not fit the inputs.
    """
    inputs = floating(inputs, 4)
    first = channels_first(data_format, 2)
    widths = functions.per_axis(sizes(kernel_size), 2, "kernel_size")
    channels = inputs.shape[1 if first else -1]
    middle = channels * depth_multiplier
    with variable_scope(scope, "SeparableConv2d", reuse=reuse) as opened:
        variable = LayerVariables(inputs.dtype, variables_collections, trainable)
        depthwise = variable(
            "depthwise_weights",
            [*widths, channels, depth_multiplier],
            weights_initializer,
            weights_regularizer,
            group="weights",
        )
        outputs = functions.convolution(
            inputs,
            depthwise.reshape(*widths, 1, middle),
            sizes(stride),
            padding,
            channels_first=first,
            dilations=sizes(rate),
        )
        if num_outputs is not None:
            pointwise = variable(
                "pointwise_weights",
                [1, 1, middle, num_outputs],
                weights_initializer if pointwise_initializer is None else pointwise_initializer,
                weights_regularizer,
                group="weights",
            )
            outputs = functions.convolution(outputs, pointwise, channels_first=first)
        if normalizer_fn is None and biases_initializer is not None:
            number = middle if num_outputs is None else num_outputs
            biases = variable("biases", [number], biases_initializer, biases_regularizer)
            outputs = outputs + (biases[:, None, None] if first else biases)
        return finished(outputs, opened, activation_fn, outputs_collections, normalizer_fn, normalizer_params)


@provided("convolution2d_in_plane", "conv2d_in_plane")
def convolution2d_in_plane(
    inputs: Any,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] = 1,
    padding: str = "SAME",
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
    """Return the same convolution of every channel (N, H, W, C), with one kernel for all.

    Raises:
        ClaraError: the arguments do not fit the inputs.
    """
    inputs = floating(inputs, 4)
    widths = functions.per_axis(sizes(kernel_size), 2, "kernel_size")
    channels = inputs.shape[-1]
    with variable_scope(scope, "ConvInPlane", reuse=reuse) as opened:
        variable = LayerVariables(inputs.dtype, variables_collections, trainable)
        weights = variable("weights", [*widths, 1, 1], weights_initializer, weights_regularizer)
        kernel = weights.expand(*widths, 1, channels)
        outputs = functions.convolution(inputs, kernel, sizes(stride), padding, channels_first=False)
        if normalizer_fn is None and biases_initializer is not None:
            outputs = outputs + variable("biases", [channels], biases_initializer, biases_regularizer)
        return finished(outputs, opened, activation_fn, outputs_collections, normalizer_fn, normalizer_params)
