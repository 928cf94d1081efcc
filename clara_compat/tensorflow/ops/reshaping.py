"""The same values in another shape or order."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from clara_compat.tensorflow.convert import as_tensor
from clara_compat.tensorflow.ops.arguments import axes_of, axis_of, given, is_static
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import register, symbol
from clara_compat.tensorflow.shapes import listed, sizes

__all__ = ["expand_dims", "reshape", "squeeze", "transpose"]

register(None, "newaxis")


@symbol("reshape", "keras.backend.reshape", "manip.reshape")
def reshape(tensor: Any, shape: Any, name: str | None = None) -> Any:
    """Return the values in another shape; one size may be -1.

    Raises:
        ClaraError: the values do not fit.
    """
    wanted = sizes(shape)
    if is_static(tensor):
        return np.reshape(tensor, wanted)
    found = as_tensor(tensor)
    if torch.jit.is_tracing() and wanted and found.ndim and wanted[0] == int(found.shape[0]):
        wanted[0] = found.shape[0]  # TorchScript then takes any number of images, not only that of the example
    try:
        return found.reshape(wanted)
    except RuntimeError as error:
        raise refusal(f"tf.reshape: a tensor of the shape {list(found.shape)} cannot become {wanted}") from error


@symbol("squeeze")
def squeeze(input: Any, axis: Any = None, name: str | None = None, squeeze_dims: Any = None) -> Any:
    """Return a tensor without axes of size 1.

    Raises:
        ClaraError: an axis that is named has another size.
    """
    chosen = given(axis, squeeze_dims)
    if is_static(input):
        return np.squeeze(np.asarray(input), None if chosen is None else tuple(sizes(chosen)))
    tensor = as_tensor(input)
    if chosen is None or (isinstance(chosen, list | tuple) and not chosen):
        return tensor.squeeze()
    axes = axes_of(chosen, tensor.ndim, "tf.squeeze")
    for one in axes:
        if tensor.shape[one] != 1:
            raise refusal(f"tf.squeeze: axis {one} of the shape {list(tensor.shape)} has not the size 1")
    return tensor.reshape([size for one, size in enumerate(tensor.shape) if one not in axes])


@symbol("expand_dims")
def expand_dims(input: Any, axis: Any = None, name: str | None = None, dim: Any = None) -> Any:
    """Return a tensor with a new axis of size 1.

    Raises:
        ClaraError: no axis is given, or there cannot be one of this number.
    """
    chosen = given(axis, dim)
    if chosen is None:
        raise refusal("tf.expand_dims needs an axis")
    if is_static(input):
        return np.expand_dims(input, sizes(chosen)[0])
    tensor = as_tensor(input)
    return tensor.unsqueeze(axis_of(chosen, tensor.ndim + 1, "tf.expand_dims"))


@symbol("transpose", "linalg.transpose")
def transpose(a: Any, perm: Any = None, name: str = "transpose", conjugate: bool = False) -> torch.Tensor:
    """Return a tensor with its axes in another order, the reverse one if none is given.

    Raises:
        ClaraError: the order does not name every axis once.
    """
    tensor = as_tensor(a)
    order = list(reversed(range(tensor.ndim))) if perm is None else sizes(perm)
    if sorted(one % tensor.ndim if tensor.ndim else one for one in order) != list(range(tensor.ndim)):
        raise refusal(f"tf.transpose: perm={order} does not name each of the {tensor.ndim} axes once")
    return tensor.permute(order)


@symbol("matrix_transpose", "linalg.matrix_transpose")
def matrix_transpose(a: Any, name: str = "matrix_transpose", conjugate: bool = False) -> torch.Tensor:
    """Return a tensor with its last two axes exchanged."""
    return as_tensor(a).transpose(-1, -2)


@symbol("reverse", "reverse_v2")
def reverse(tensor: Any, axis: Any, name: str | None = None) -> Any:
    """Return a tensor with the values along axes in reverse."""
    if is_static(tensor):
        return np.flip(tensor, tuple(sizes(axis)))
    found = as_tensor(tensor)
    return found.flip(axes_of(axis, found.ndim, "tf.reverse"))


@symbol("broadcast_to")
def broadcast_to(input: Any, shape: Any, name: str | None = None) -> torch.Tensor:
    """Return a tensor repeated along axes of size 1 until it has a shape."""
    return as_tensor(input).broadcast_to(sizes(shape))


@symbol("broadcast_static_shape", "broadcast_dynamic_shape")
def broadcast_shape(shape_x: Any, shape_y: Any) -> np.ndarray:
    """Return the shape of an operation on tensors of two shapes."""
    return np.array(torch.broadcast_shapes(sizes(shape_x), sizes(shape_y)), np.int32)


@symbol("roll", "manip.roll")
def roll(input: Any, shift: Any, axis: Any, name: str | None = None) -> torch.Tensor:
    """Return a tensor with the values moved along axes; what leaves at the end comes in at the front."""
    return torch.roll(as_tensor(input), sizes(shift), sizes(axis))


@symbol("repeat")
def repeat(input: Any, repeats: Any, axis: Any = None, name: str | None = None) -> torch.Tensor:
    """Return a tensor with each item along an axis repeated."""
    tensor, counts = as_tensor(input), sizes(repeats)
    if len(counts) == 1:
        return torch.repeat_interleave(tensor, counts[0], axis)
    each = torch.tensor(counts, device=tensor.device)
    return torch.repeat_interleave(tensor, each, axis, output_size=sum(counts))


@symbol("space_to_batch_nd", "manip.space_to_batch_nd")
def space_to_batch_nd(input: Any, block_shape: Any, paddings: Any, name: str | None = None) -> torch.Tensor:
    """Return every n-th voxel as an image of its own, the place in the block being the slower part of the batch.

    Args:
        input: (N, spatial..., rest...).
        block_shape: n along each spatial axis.
        paddings: how many zeros before and behind each of them.
        name: ignored.

    Raises:
        ClaraError: the blocks do not divide the padded axes.
    """
    steps, borders = sizes(block_shape), _pairs(paddings)
    tensor, axes = as_tensor(input), len(steps)
    padding = [side for pair in reversed(borders) for side in pair]
    tensor = F.pad(tensor, [0, 0] * (tensor.ndim - 1 - axes) + padding)
    batch, space, rest = tensor.shape[0], tensor.shape[1 : 1 + axes], tensor.shape[1 + axes :]
    if any(size % step for size, step in zip(space, steps, strict=True)):
        raise refusal(f"tf.space_to_batch: blocks of {steps} do not divide the padded shape {list(tensor.shape)}")
    parts = [part for size, step in zip(space, steps, strict=True) for part in (size // step, step)]
    order = [*range(2, 2 * axes + 1, 2), 0, *range(1, 2 * axes, 2), *range(2 * axes + 1, 2 * axes + 1 + len(rest))]
    blocks = tensor.reshape(batch, *parts, *rest).permute(order)
    return blocks.reshape(batch * math.prod(steps), *parts[::2], *rest)


@symbol("batch_to_space_nd", "manip.batch_to_space_nd")
def batch_to_space_nd(input: Any, block_shape: Any, crops: Any, name: str | None = None) -> torch.Tensor:
    """Return images put together from every n-th voxel: the inverse of :func:`space_to_batch_nd`.

    Raises:
        ClaraError: the images do not make whole blocks.
    """
    steps, tensor = sizes(block_shape), as_tensor(input)
    axes, count = len(steps), math.prod(steps)
    space, rest = tensor.shape[1 : 1 + axes], tensor.shape[1 + axes :]
    if tensor.shape[0] % count:
        raise refusal(f"tf.batch_to_space: {tensor.shape[0]} images do not make blocks of {steps}")
    blocks = tensor.reshape(*steps, tensor.shape[0] // count, *space, *rest)
    order = [axes, *[axis for one in range(axes) for axis in (axes + 1 + one, one)], *range(2 * axes + 1, blocks.ndim)]
    whole = [size * step for size, step in zip(space, steps, strict=True)]
    found = blocks.permute(order).reshape(tensor.shape[0] // count, *whole, *rest)
    for axis, (before, behind) in enumerate(_pairs(crops), 1):
        found = found.narrow(axis, before, found.shape[axis] - before - behind)
    return found


def _pairs(borders: Any) -> list[list[int]]:
    return [sizes(pair) for pair in (listed(borders) if isinstance(borders, torch.Tensor) else borders)]


@symbol("space_to_batch", "nn.space_to_batch")
def space_to_batch(
    input: Any, paddings: Any, block_size: Any = None, name: str | None = None, block_shape: Any = None
) -> torch.Tensor:
    """Return every n-th pixel as an image of its own; see :func:`space_to_batch_nd`."""
    return space_to_batch_nd(input, [block_size] * 2 if block_shape is None else block_shape, paddings)


@symbol("batch_to_space", "nn.batch_to_space")
def batch_to_space(
    input: Any, crops: Any, block_size: Any = None, name: str | None = None, block_shape: Any = None
) -> torch.Tensor:
    """Return images put together from every n-th pixel; see :func:`batch_to_space_nd`."""
    return batch_to_space_nd(input, [block_size] * 2 if block_shape is None else block_shape, crops)


@symbol("space_to_depth", "nn.space_to_depth")
def space_to_depth(input: Any, block_size: int, name: str | None = None, data_format: str = "NHWC") -> torch.Tensor:
    """Return blocks of pixels as channels, the pixel of the block being the slower part of the channel."""
    tensor = as_tensor(input)
    first = tensor if data_format == "NCHW" else tensor.movedim(-1, 1)
    n, c, h, w = first.shape
    if h % block_size or w % block_size:
        raise refusal(f"tf.space_to_depth: blocks of {block_size} do not divide the shape {list(tensor.shape)}")
    parts = first.reshape(n, c, h // block_size, block_size, w // block_size, block_size)
    result = parts.permute(0, 3, 5, 1, 2, 4).reshape(n, -1, h // block_size, w // block_size)
    return result if data_format == "NCHW" else result.movedim(1, -1)


@symbol("depth_to_space", "nn.depth_to_space")
def depth_to_space(input: Any, block_size: int, name: str | None = None, data_format: str = "NHWC") -> torch.Tensor:
    """Return channels as blocks of pixels: the inverse of :func:`space_to_depth`."""
    tensor = as_tensor(input)
    first = tensor if data_format == "NCHW" else tensor.movedim(-1, 1)
    n, c, h, w = first.shape
    if c % block_size**2:
        raise refusal(f"tf.depth_to_space: {c} channels do not make blocks of {block_size} × {block_size}")
    parts = first.reshape(n, block_size, block_size, -1, h, w)
    result = parts.permute(0, 3, 4, 1, 5, 2).reshape(n, -1, h * block_size, w * block_size)
    return result if data_format == "NCHW" else result.movedim(1, -1)
