"""Convolution and pooling with TensorFlow's layouts and paddings, on torch's functions.

Kernels are (spatial..., in, out), those of transposed convolutions (spatial..., out, in). ``SAME`` pads what is
missing for ``ceil(size / stride)`` outputs, the odd voxel behind: where that is not symmetric, torch's own padding
cannot say it and the tensor is padded first.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch.nn import functional as F

from clara_compat.tensorflow.convert import alike
from clara_compat.tensorflow.place import refusal

__all__ = [
    "average_pool",
    "convolution",
    "convolution_transpose",
    "max_pool",
    "per_axis",
    "same_padding",
    "torch_kernel",
]

_CONVOLUTIONS = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
_TRANSPOSED = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}
_MAX_POOLS = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
_AVERAGE_POOLS = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}


def per_axis(value: int | Sequence[int], dims: int, what: str) -> list[int]:
    """Return a number for each spatial axis.

    Raises:
        ClaraError: there are neither one nor ``dims`` numbers.
    """
    if isinstance(value, int):
        return [int(value)] * dims
    found = [int(one) for one in value]
    if len(found) == 1:
        return found * dims
    if len(found) != dims:
        raise refusal(f"{what} is {value!r}, expected one number or {dims}")
    return found


def same_padding(size: int, kernel: int, stride: int, dilation: int = 1) -> tuple[int, int]:
    """Return what ``SAME`` puts before and behind an axis of this size."""
    total = max((math.ceil(size / stride) - 1) * stride + (kernel - 1) * dilation + 1 - size, 0)
    return total // 2, total - total // 2


def torch_kernel(kernel: torch.Tensor) -> torch.Tensor:
    """Return a kernel (spatial..., a, b) as (b, a, spatial...), a view that is contiguous for a stored variable."""
    dims = kernel.ndim - 2
    return kernel.permute(dims + 1, dims, *range(dims))


def convolution(
    inputs: torch.Tensor,
    kernel: torch.Tensor,
    strides: int | Sequence[int] = 1,
    padding: str = "VALID",
    *,
    channels_first: bool,
    dilations: int | Sequence[int] = 1,
    bias: torch.Tensor | None = None,
) -> torch.Tensor:
    """Return a convolution (a cross-correlation, as everywhere in the field) of 1, 2 or 3 spatial axes.

    Args:
        inputs: (N, C, spatial...), or (N, spatial..., C).
        kernel: (spatial..., in, out); C must be a multiple of ``in``, whose quotient is the number of groups.
        strides: one number, or one for each axis.
        padding: ``SAME`` or ``VALID``, in any case of letters.
        channels_first: the layout of the inputs and of what is returned.
        dilations: one number, or one for each axis.
        bias: (out), or None.

    Raises:
        ClaraError: the shapes do not fit, at the user's line.
    """
    dims = kernel.ndim - 2
    inputs, kernel = alike(inputs, kernel)
    inputs = _first(inputs, channels_first, dims)
    strides, dilations = per_axis(strides, dims, "strides"), per_axis(dilations, dims, "the dilation rate")
    channels, per_group = inputs.shape[1], kernel.shape[-2]
    if channels % per_group:
        raise refusal(
            f"a kernel for {per_group} channels cannot be applied to {channels}: the input's shape is "
            f"{list(inputs.shape)}, its channels taken from the {'second' if channels_first else 'last'} axis"
        )
    if kernel.shape[-1] % (channels // per_group):
        raise refusal(
            f"a kernel for {per_group} channels makes {kernel.shape[-1]} of {channels}: the input's shape is "
            f"{list(inputs.shape)}, its channels taken from the {'second' if channels_first else 'last'} axis"
        )
    pads = _pads(padding, inputs.shape[2:], kernel.shape[:dims], strides, dilations)
    inputs, symmetric = _padded(inputs, pads, 0.0)
    result = _CONVOLUTIONS[dims](
        inputs, torch_kernel(kernel), bias, strides, symmetric, dilations, channels // per_group
    )
    return result if channels_first else result.movedim(1, -1)


def convolution_transpose(
    inputs: torch.Tensor,
    kernel: torch.Tensor,
    strides: int | Sequence[int] = 1,
    padding: str = "VALID",
    *,
    channels_first: bool,
    bias: torch.Tensor | None = None,
    output_size: Sequence[int] | None = None,
) -> torch.Tensor:
    """Return a transposed convolution: the gradient of a convolution with respect to its input.

    Args:
        inputs: (N, C, spatial...), or (N, spatial..., C).
        kernel: (spatial..., out, in).
        strides: one number, or one for each axis.
        padding: ``SAME``: ``size * stride`` voxels come out; ``VALID``: ``size * stride + max(kernel - stride, 0)``.
        channels_first: the layout of the inputs and of what is returned.
        bias: (out), or None.
        output_size: spatial size of the result, where the padding allows several.
    """
    dims = kernel.ndim - 2
    inputs, kernel = alike(inputs, kernel)
    inputs = _first(inputs, channels_first, dims)
    strides = per_axis(strides, dims, "strides")
    if inputs.shape[1] != kernel.shape[-1]:
        raise refusal(f"a kernel for {kernel.shape[-1]} channels cannot be applied to {inputs.shape[1]}")
    same = _is_same(padding)
    before, extra, sizes = [], [], []
    for axis in range(dims):
        size, stride, width = inputs.shape[2 + axis], strides[axis], kernel.shape[axis]
        whole = (size - 1) * stride + width
        wanted = size * stride if same else size * stride + max(width - stride, 0)
        if output_size is not None:
            wanted = output_size[axis]
        pad = max(whole - wanted, 0) // 2 if same else 0
        before.append(pad)
        extra.append(max(wanted - (whole - 2 * pad), 0))
        sizes.append(wanted)
    result = _TRANSPOSED[dims](inputs, torch_kernel(kernel), bias, strides, before, extra)
    if list(result.shape[2:]) != sizes:
        result = result[tuple(slice(0, size) for size in (*result.shape[:2], *sizes))]
    return result if channels_first else result.movedim(1, -1)


def max_pool(
    inputs: torch.Tensor,
    pool_size: int | Sequence[int],
    strides: int | Sequence[int],
    padding: str = "VALID",
    *,
    channels_first: bool,
) -> torch.Tensor:
    """Return the largest value of each window; see :func:`convolution` for the layouts."""
    dims = inputs.ndim - 2
    inputs = _first(inputs, channels_first, dims)
    windows, strides = per_axis(pool_size, dims, "pool_size"), per_axis(strides, dims, "strides")
    pads = _pads(padding, inputs.shape[2:], windows, strides, [1] * dims)
    inputs, symmetric = _padded(inputs, pads, -math.inf, at_most=[window // 2 for window in windows])
    result = _MAX_POOLS[dims](inputs, windows, strides, symmetric)
    return result if channels_first else result.movedim(1, -1)


def average_pool(
    inputs: torch.Tensor,
    pool_size: int | Sequence[int],
    strides: int | Sequence[int],
    padding: str = "VALID",
    *,
    channels_first: bool,
) -> torch.Tensor:
    """Return the mean of each window over the voxels that exist; see :func:`convolution` for the layouts."""
    dims = inputs.ndim - 2
    inputs = _first(inputs, channels_first, dims)
    windows, strides = per_axis(pool_size, dims, "pool_size"), per_axis(strides, dims, "strides")
    pads = _pads(padding, inputs.shape[2:], windows, strides, [1] * dims)
    pool = _AVERAGE_POOLS[dims]
    if any(map(sum, pads)):
        around = [side for pair in reversed(pads) for side in pair]
        exists = F.pad(torch.ones_like(inputs[:1, :1]), around)
        result = pool(F.pad(inputs, around), windows, strides) / pool(exists, windows, strides)
    else:
        result = pool(inputs, windows, strides)
    return result if channels_first else result.movedim(1, -1)


def _first(inputs: torch.Tensor, channels_first: bool, dims: int) -> torch.Tensor:
    if inputs.ndim != dims + 2:
        raise refusal(f"expected a tensor of {dims + 2} axes but got the shape {list(inputs.shape)}")
    return inputs if channels_first else inputs.movedim(-1, 1)


def _is_same(padding: str) -> bool:
    if str(padding).upper() not in ("SAME", "VALID"):
        raise refusal(f"padding is '{padding}', expected 'same' or 'valid'")
    return str(padding).upper() == "SAME"


def _pads(
    padding: str, sizes: Sequence[int], kernel: Sequence[int], strides: Sequence[int], dilations: Sequence[int]
) -> list[tuple[int, int]]:
    if not _is_same(padding):
        return [(0, 0)] * len(sizes)
    axes = zip(sizes, kernel, strides, dilations, strict=True)
    return [same_padding(int(size), int(width), stride, dilation) for size, width, stride, dilation in axes]


def _padded(
    inputs: torch.Tensor, pads: list[tuple[int, int]], value: float, at_most: Sequence[int] | None = None
) -> tuple[torch.Tensor, list[int]]:
    """Return the inputs, padded where it must be done beforehand, and the padding left to torch's function."""
    limits = at_most or [max(pair) for pair in pads]
    if all(before == behind <= limit for (before, behind), limit in zip(pads, limits, strict=True)):
        return inputs, [before for before, _ in pads]
    around = [side for pair in reversed(pads) for side in pair]
    return F.pad(inputs, around, value=value), [0] * len(pads)
