"""Keras's convolutions that treat channels one by one."""

from __future__ import annotations

from typing import Any

import torch

from clara_compat.tensorflow.convolution import convolution
from clara_compat.tensorflow.layers.convolution import Conv, channels_of
from clara_compat.tensorflow.registry import symbol

__all__ = ["DepthwiseConv2D", "SeparableConv", "SeparableConv1D", "SeparableConv2D", "grouped"]


def grouped(kernel: torch.Tensor) -> torch.Tensor:
    """Return a depthwise kernel (spatial..., C, multiplier) as that of a convolution with C groups."""
    return kernel.reshape(*kernel.shape[:-2], 1, kernel.shape[-2] * kernel.shape[-1])


class SeparableConv(Conv):
    """A convolution of each channel by itself, and then one of size 1 over all; see Keras's ``SeparableConv2D``.

    Args:
        filters: number of channels that come out.
        kernel_size: one number, or one for each axis.
        strides: one number, or one for each axis.
        padding: ``valid`` or ``same``.
        data_format: None: what ``K.image_data_format()`` says.
        dilation_rate: one number, or one for each axis.
        depth_multiplier: number of channels made of each.
        activation: a name, a function or a layer.
        use_bias: whether a number is added to each channel.
        depthwise_initializer: a name, a class or an object.
        pointwise_initializer: a name, a class or an object.
        bias_initializer: a name, a class or an object.
        depthwise_regularizer: a name or an object.
        pointwise_regularizer: a name or an object.
        **kwargs: see :class:`~clara_compat.tensorflow.layers.convolution.Conv`.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            filters,
            kernel_size,
            strides,
            padding,
            data_format,
            dilation_rate,
            activation,
            use_bias,
            bias_initializer=bias_initializer,
            bias_regularizer=bias_regularizer,
            bias_constraint=bias_constraint,
            activity_regularizer=activity_regularizer,
            **kwargs,
        )
        self.depth_multiplier = depth_multiplier
        self.depthwise_initializer = depthwise_initializer
        self.pointwise_initializer = pointwise_initializer
        self.depthwise_regularizer = depthwise_regularizer
        self.depthwise_constraint = depthwise_constraint
        self.pointwise_regularizer = pointwise_regularizer
        self.pointwise_constraint = pointwise_constraint

    def build(self, input_shape: Any) -> None:
        """Make both kernels and the bias."""
        channels = channels_of(self, input_shape)
        self.depthwise_kernel = self.add_weight(
            name="depthwise_kernel",
            shape=(*self.kernel_size, channels, self.depth_multiplier),
            initializer=self.depthwise_initializer,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
        )
        self.pointwise_kernel = self.add_weight(
            name="pointwise_kernel",
            shape=(*[1] * self.rank, channels * self.depth_multiplier, self.filters),
            initializer=self.pointwise_initializer,
            regularizer=self.pointwise_regularizer,
            constraint=self.pointwise_constraint,
        )
        self.bias = self._bias()
        self.built = True

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the convolution."""
        outputs = convolution(
            inputs,
            grouped(self.depthwise_kernel),
            self.strides,
            self.padding,
            channels_first=self.channels_first,
            dilations=self.dilation_rate,
        )
        outputs = convolution(outputs, self.pointwise_kernel, channels_first=self.channels_first, bias=self.bias)
        return outputs if self.activation is None else self.activation(outputs)


@symbol("keras.layers.SeparableConv1D", "keras.layers.SeparableConvolution1D")
class SeparableConv1D(SeparableConv):
    """A separable convolution over one axis."""

    rank = 1


@symbol("keras.layers.SeparableConv2D", "keras.layers.SeparableConvolution2D")
class SeparableConv2D(SeparableConv):
    """A separable convolution over two axes."""

    rank = 2


@symbol("keras.layers.DepthwiseConv2D")
class DepthwiseConv2D(Conv):
    """A convolution of each channel by itself.

    Args:
        kernel_size: one number, or two.
        strides: one number, or two.
        padding: ``valid`` or ``same``.
        depth_multiplier: number of channels made of each.
        data_format: None: what ``K.image_data_format()`` says.
        activation: a name, a function or a layer.
        use_bias: whether a number is added to each channel.
        depthwise_initializer: a name, a class or an object.
        depthwise_regularizer: a name or an object.
        **kwargs: see :class:`~clara_compat.tensorflow.layers.convolution.Conv`.
    """

    rank = 2

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            0,
            kernel_size,
            strides,
            padding,
            data_format,
            activation=activation,
            use_bias=use_bias,
            bias_initializer=bias_initializer,
            bias_regularizer=bias_regularizer,
            bias_constraint=bias_constraint,
            activity_regularizer=activity_regularizer,
            **kwargs,
        )
        self.depth_multiplier = depth_multiplier
        self.depthwise_initializer = depthwise_initializer
        self.depthwise_regularizer = depthwise_regularizer
        self.depthwise_constraint = depthwise_constraint

    def build(self, input_shape: Any) -> None:
        """Make the kernel and the bias."""
        channels = channels_of(self, input_shape)
        self.filters = channels * self.depth_multiplier
        self.depthwise_kernel = self.add_weight(
            name="depthwise_kernel",
            shape=(*self.kernel_size, channels, self.depth_multiplier),
            initializer=self.depthwise_initializer,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
        )
        self.bias = self._bias()
        self.built = True

    def get_config(self) -> dict[str, Any]:
        """Return the arguments, without those of other convolutions."""
        config = super().get_config()
        return {key: value for key, value in config.items() if key != "filters"}

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the convolution."""
        outputs = convolution(
            inputs,
            grouped(self.depthwise_kernel),
            self.strides,
            self.padding,
            channels_first=self.channels_first,
            dilations=self.dilation_rate,
            bias=self.bias,
        )
        return outputs if self.activation is None else self.activation(outputs)
