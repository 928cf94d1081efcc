"""Keras's transposed convolutions."""

from __future__ import annotations

from typing import Any

import torch

from clara_compat.tensorflow.convolution import convolution_transpose
from clara_compat.tensorflow.layers.arguments import tuple_of
from clara_compat.tensorflow.layers.convolution import Conv
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import symbol

__all__ = ["Conv2DTranspose", "Conv3DTranspose", "ConvTranspose"]


class ConvTranspose(Conv):
    """A transposed convolution over ``rank`` axes: the gradient of a convolution with respect to its input.

    Args:
        filters: number of channels that come out.
        kernel_size: one number, or one for each axis.
        strides: one number, or one for each axis.
        padding: ``valid`` or ``same``.
        output_padding: what is added to one side of the result, less than the strides; None: what TensorFlow takes.
        **kwargs: see :class:`~clara_compat.tensorflow.layers.convolution.Conv`.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        output_padding: Any = None,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        **kwargs: Any,
    ) -> None:
        if isinstance(output_padding, str):  # TensorFlow 1's tf.layers has no output_padding before data_format
            output_padding, data_format = None, output_padding
        super().__init__(filters, kernel_size, strides, padding, data_format, dilation_rate, **kwargs)
        if max(self.dilation_rate) > 1:
            raise refusal(f"layer '{self.name}' has dilation_rate {self.dilation_rate}: it is not provided here")
        self.output_padding = None if output_padding is None else tuple_of(output_padding, self.rank, "output_padding")
        for extra, stride in zip(self.output_padding or (), self.strides, strict=False):
            if extra >= stride:
                raise refusal(f"layer '{self.name}' has output_padding {self.output_padding}, strides {self.strides}")

    def kernel_shape(self, channels: int) -> tuple[int, ...]:
        """Return the shape of the kernel for a number of channels that come in."""
        return (*self.kernel_size, self.filters, channels)

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the transposed convolution."""
        size = None
        if self.output_padding is not None:
            start = 2 if self.channels_first else 1
            axes = zip(inputs.shape[start:], self.strides, self.kernel_size, self.output_padding, strict=False)
            size = [
                (length - 1) * stride + width - (2 * (width // 2) if self.padding == "same" else 0) + extra
                for length, stride, width, extra in axes
            ]
        outputs = convolution_transpose(
            inputs,
            self.kernel,
            self.strides,
            self.padding,
            channels_first=self.channels_first,
            bias=self.bias,
            output_size=size,
        )
        return outputs if self.activation is None else self.activation(outputs)


@symbol("keras.layers.Conv2DTranspose", "keras.layers.Deconvolution2D", "keras.layers.Convolution2DTranspose")
class Conv2DTranspose(ConvTranspose):
    """A transposed convolution over two axes."""

    rank = 2


@symbol("keras.layers.Conv3DTranspose", "keras.layers.Deconvolution3D", "keras.layers.Convolution3DTranspose")
class Conv3DTranspose(ConvTranspose):
    """A transposed convolution over three axes."""

    rank = 3
