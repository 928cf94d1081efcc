"""Keras's convolutions."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional as F

from clara_compat.tensorflow.convolution import convolution
from clara_compat.tensorflow.layers.arguments import activation as activation_of
from clara_compat.tensorflow.layers.arguments import is_channels_first, tuple_of
from clara_compat.tensorflow.layers.base import Layer
from clara_compat.tensorflow.layers.spec import InputSpec
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import symbol

__all__ = ["Conv", "Conv1D", "Conv2D", "Conv3D", "channels_of"]


def channels_of(layer: Any, input_shape: Any) -> int:
    """Return the number of channels of a layer's input, and let its ``input_spec`` demand it from now on."""
    axis = 1 if layer.channels_first else -1
    channels = int(input_shape[axis])
    layer.input_spec = InputSpec(ndim=layer.rank + 2, axes={axis: channels})
    return channels


class Conv(Layer):
    """A convolution over ``rank`` axes; see Keras's ``Conv3D`` for the arguments.

    Args:
        filters: number of channels that come out.
        kernel_size: one number, or one for each axis.
        strides: one number, or one for each axis.
        padding: ``valid``, ``same``, or of one axis ``causal``.
        data_format: None: what ``K.image_data_format()`` says.
        dilation_rate: one number, or one for each axis.
        activation: a name, a function or a layer.
        use_bias: whether a number is added to each channel.
        kernel_initializer: a name, a class or an object.
        bias_initializer: a name, a class or an object.
        kernel_regularizer: a name or an object.
        bias_regularizer: a name or an object.
        activity_regularizer: a name or an object.
        kernel_constraint: what the kernel becomes after each step: a name or an object.
        bias_constraint: a name or an object.
        **kwargs: what every layer takes.
    """

    rank: int

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.filters = int(filters)
        self.kernel_size = tuple_of(kernel_size, self.rank, "kernel_size")
        self.strides = tuple_of(strides, self.rank, "strides")
        self.padding = str(padding).lower()
        self.channels_first = is_channels_first(data_format)
        self.data_format = "channels_first" if self.channels_first else "channels_last"
        self.dilation_rate = tuple_of(dilation_rate, self.rank, "dilation_rate")
        self.activation = activation_of(activation)
        self.use_bias = use_bias
        self.kernel_initializer = kernel_initializer
        self.bias_initializer = bias_initializer
        self.kernel_regularizer = kernel_regularizer
        self.kernel_constraint = kernel_constraint
        self.bias_regularizer = bias_regularizer
        self.bias_constraint = bias_constraint
        self.input_spec = InputSpec(ndim=self.rank + 2)
        allowed = ("valid", "same", "causal") if self.rank == 1 else ("valid", "same")
        if self.padding not in allowed:
            raise refusal(f"padding of layer '{self.name}' is '{padding}', expected {' or '.join(map(repr, allowed))}")
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise refusal(f"layer '{self.name}' has strides {self.strides} and dilation_rate {self.dilation_rate}")

    def kernel_shape(self, channels: int) -> tuple[int, ...]:
        """Return the shape of the kernel for a number of channels that come in."""
        return (*self.kernel_size, channels, self.filters)

    def build(self, input_shape: Any) -> None:
        """Make the kernel and the bias."""
        self.kernel = self.add_weight(
            name="kernel",
            shape=self.kernel_shape(channels_of(self, input_shape)),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = self._bias()
        self.built = True

    def _bias(self) -> Any:
        if not self.use_bias:
            return None
        return self.add_weight(
            name="bias",
            shape=(self.filters,),
            initializer=self.bias_initializer,
            regularizer=self.bias_regularizer,
            constraint=self.bias_constraint,
        )

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the convolution."""
        padding = self.padding
        if padding == "causal":
            before = self.dilation_rate[0] * (self.kernel_size[0] - 1)
            inputs = F.pad(inputs, (before, 0) if self.channels_first else (0, 0, before, 0))
            padding = "valid"
        outputs = convolution(
            inputs,
            self.kernel,
            self.strides,
            padding,
            channels_first=self.channels_first,
            dilations=self.dilation_rate,
            bias=self.bias,
        )
        return outputs if self.activation is None else self.activation(outputs)


@symbol("keras.layers.Conv1D", "keras.layers.Convolution1D")
class Conv1D(Conv):
    """A convolution over one axis."""

    rank = 1


@symbol("keras.layers.Conv2D", "keras.layers.Convolution2D")
class Conv2D(Conv):
    """A convolution over two axes."""

    rank = 2


@symbol("keras.layers.Conv3D", "keras.layers.Convolution3D")
class Conv3D(Conv):
    """A convolution over three axes."""

    rank = 3
