"""``tf.nn``'s convolutions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional as F

from clara_compat.tensorflow.convert import as_tensor, tensors
from clara_compat.tensorflow.convolution import convolution, convolution_transpose
from clara_compat.tensorflow.ops.arguments import given
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import register, symbol
from clara_compat.tensorflow.shapes import sizes

__all__ = ["bias_add", "depthwise_kernel", "is_channels_first", "spatial"]


def is_channels_first(data_format: str | None) -> bool:
    """Whether a layout as TensorFlow or Keras writes it has its channels second; None means they are last.

    Raises:
        ClaraError: there is no such layout.
    """
    name = "NHWC" if data_format is None else str(data_format)
    if name in ("NCW", "NCHW", "NCDHW", "NC...", "channels_first"):
        return True
    if name not in ("NWC", "NHWC", "NDHWC", "N...C", "channels_last"):
        raise refusal(f"data_format is '{data_format}', expected one such as 'NHWC' or 'NCHW'")
    return False


def spatial(values: Any, dims: int, channels_first: bool, what: str) -> list[int]:
    """Return a number for each spatial axis, from one number, one for each of them, or one for every axis.

    Raises:
        ClaraError: there is another count of numbers, or batch or channels have not 1.
    """
    found = sizes(values)
    if len(found) == 1:
        return found * dims
    if len(found) == dims:
        return found
    if len(found) != dims + 2:
        raise refusal(f"{what} is {found}, expected 1, {dims} or {dims + 2} numbers")
    inner = found[2:] if channels_first else found[1:-1]
    if found[0] != 1 or found[1 if channels_first else -1] != 1:
        raise refusal(f"{what} is {found}: only spatial axes can have another number than 1")
    return inner


def _convolved(
    input: Any,
    filter: Any,
    strides: Any,
    padding: Any,
    data_format: str | None,
    dilations: Any,
    dims: int,
) -> torch.Tensor:
    x, kernel = tensors(input, filter)
    first = is_channels_first(data_format)
    if kernel.ndim != dims + 2:
        raise refusal(f"a kernel of the shape {list(kernel.shape)}, expected {dims + 2} axes")
    if padding is None:
        raise refusal("a convolution needs its padding, 'SAME' or 'VALID'")
    if isinstance(padding, list | tuple):
        x, padding = F.pad(x, [side for pair in reversed(padding) for side in pair]), "VALID"
    return convolution(
        x,
        kernel,
        spatial(given(strides, 1), dims, first, "strides"),
        padding,
        channels_first=first,
        dilations=spatial(given(dilations, 1), dims, first, "dilations"),
    )


@symbol("nn.conv1d")
def conv1d(
    value: Any = None,
    filters: Any = None,
    stride: Any = None,
    padding: Any = None,
    use_cudnn_on_gpu: Any = None,
    data_format: str | None = None,
    name: str | None = None,
    input: Any = None,
    dilations: Any = None,
) -> torch.Tensor:
    """Return a convolution over one spatial axis; the kernel is (width, in, out)."""
    return _convolved(given(value, input), filters, stride, padding, data_format, dilations, 1)


@symbol("nn.conv2d")
def conv2d(
    input: Any,
    filter: Any = None,
    strides: Any = None,
    padding: Any = None,
    use_cudnn_on_gpu: Any = True,
    data_format: str | None = "NHWC",
    dilations: Any = None,
    name: str | None = None,
    filters: Any = None,
) -> torch.Tensor:
    """Return a convolution over two spatial axes; the kernel is (height, width, in, out)."""
    return _convolved(input, given(filter, filters), strides, padding, data_format, dilations, 2)


@symbol("nn.conv3d")
def conv3d(
    input: Any,
    filter: Any = None,
    strides: Any = None,
    padding: Any = None,
    data_format: str | None = "NDHWC",
    dilations: Any = None,
    name: str | None = None,
    filters: Any = None,
) -> torch.Tensor:
    """Return a convolution over three spatial axes; the kernel is (depth, height, width, in, out)."""
    return _convolved(input, given(filter, filters), strides, padding, data_format, dilations, 3)


@symbol("nn.convolution")
def tf_convolution(
    input: Any,
    filter: Any = None,
    padding: Any = None,
    strides: Any = None,
    dilation_rate: Any = None,
    name: str | None = None,
    data_format: str | None = None,
    filters: Any = None,
    dilations: Any = None,
) -> torch.Tensor:
    """Return a convolution over as many spatial axes as the kernel has."""
    kernel = as_tensor(given(filter, filters))
    rate = given(dilation_rate, dilations)
    return _convolved(input, kernel, strides, padding, data_format, rate, kernel.ndim - 2)


@symbol("nn.atrous_conv2d")
def atrous_conv2d(value: Any, filters: Any, rate: int, padding: str, name: str | None = None) -> torch.Tensor:
    """Return a dilated convolution, channels last."""
    return _convolved(value, filters, 1, padding, "NHWC", rate, 2)


def _transposed(dims: int) -> Callable[..., torch.Tensor]:
    def conv_transpose(
        value: Any = None,
        filter: Any = None,
        output_shape: Any = None,
        strides: Any = None,
        padding: str = "SAME",
        data_format: str | None = None,
        name: str | None = None,
        input: Any = None,
        filters: Any = None,
        dilations: Any = None,
    ) -> torch.Tensor:
        x, kernel = tensors(given(value, input), given(filter, filters))
        first = is_channels_first(data_format)
        if output_shape is None or strides is None:
            raise refusal("a transposed convolution needs output_shape and strides")
        wanted = sizes(output_shape)
        if len(wanted) != dims + 2:
            raise refusal(f"output_shape is {wanted}, expected {dims + 2} sizes")
        channels = wanted[1 if first else -1]
        if channels != kernel.shape[-2] or wanted[0] != x.shape[0]:
            raise refusal(
                f"output_shape is {wanted}, but the batch is {x.shape[0]} and the kernel (spatial..., out, in) has the "
                f"shape {list(kernel.shape)}"
            )
        return convolution_transpose(
            x,
            kernel,
            spatial(strides, dims, first, "strides"),
            padding,
            channels_first=first,
            output_size=wanted[2:] if first else wanted[1:-1],
        )

    return conv_transpose


for _dims in (1, 2, 3):
    register(_transposed(_dims), f"nn.conv{_dims}d_transpose")


def depthwise_kernel(kernel: torch.Tensor) -> torch.Tensor:
    """Return a depthwise kernel (spatial..., in, multiplier) as that of a grouped convolution (spatial..., 1, out)."""
    return kernel.flatten(-2).unsqueeze(-2)


@symbol("nn.depthwise_conv2d", "nn.depthwise_conv2d_native")
def depthwise_conv2d(
    input: Any,
    filter: Any,
    strides: Any,
    padding: str,
    rate: Any = None,
    name: str | None = None,
    data_format: str | None = None,
    dilations: Any = None,
) -> torch.Tensor:
    """Return each channel convolved with kernels of its own, (height, width, in, multiplier)."""
    x, kernel = tensors(input, filter)
    channels = x.shape[1 if is_channels_first(data_format) else -1]
    if kernel.ndim != 4 or kernel.shape[2] != channels:
        raise refusal(f"a depthwise kernel of the shape {list(kernel.shape)} does not fit {channels} channels")
    return _convolved(x, depthwise_kernel(kernel), strides, padding, data_format, given(rate, dilations), 2)


@symbol("nn.separable_conv2d")
def separable_conv2d(
    input: Any,
    depthwise_filter: Any,
    pointwise_filter: Any,
    strides: Any,
    padding: str,
    rate: Any = None,
    name: str | None = None,
    data_format: str | None = None,
    dilations: Any = None,
) -> torch.Tensor:
    """Return a depthwise convolution followed by one of single pixels, (1, 1, in * multiplier, out)."""
    deep = depthwise_conv2d(input, depthwise_filter, strides, padding, rate, None, data_format, dilations)
    return _convolved(deep, pointwise_filter, 1, "VALID", data_format, 1, 2)


@symbol("nn.bias_add")
def bias_add(value: Any, bias: Any, data_format: str | None = None, name: str | None = None) -> torch.Tensor:
    """Return a tensor with a number for each channel added.

    Raises:
        ClaraError: there is not one number for each channel.
    """
    x, added = tensors(value, bias)
    axis = 1 if is_channels_first(data_format) else x.ndim - 1
    if added.ndim != 1 or x.shape[axis] != added.shape[0]:
        raise refusal(f"a bias of the shape {list(added.shape)} does not fit axis {axis} of {list(x.shape)}")
    return x + added.reshape([-1] + [1] * (x.ndim - 1 - axis))
