"""Parts of tensors: slices, items by index, items by condition."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from clara_compat.tensorflow.convert import as_tensor, tensors
from clara_compat.tensorflow.operands import item
from clara_compat.tensorflow.ops.arguments import axis_of, given, is_static
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import symbol
from clara_compat.tensorflow.shapes import sizes

__all__ = ["boolean_mask", "gather", "gather_nd", "scatter_nd", "tf_slice", "where"]


@symbol("slice")
def tf_slice(input_: Any, begin: Any, size: Any, name: str | None = None) -> Any:
    """Return a box of a tensor; a size of -1 reaches to the end.

    Raises:
        ClaraError: the box does not lie inside.
    """
    tensor = input_ if is_static(input_) else as_tensor(input_)
    starts, lengths = sizes(begin), sizes(size)
    if len(starts) != tensor.ndim or len(lengths) != tensor.ndim:
        raise refusal(f"tf.slice: begin={starts}, size={lengths} for a tensor of {tensor.ndim} axes")
    ends = [
        whole if length == -1 else start + length
        for start, length, whole in zip(starts, lengths, tensor.shape, strict=True)
    ]
    if any(not 0 <= a <= b <= whole for a, b, whole in zip(starts, ends, tensor.shape, strict=True)):
        raise refusal(f"tf.slice: begin={starts}, size={lengths} leave the shape {list(tensor.shape)}")
    return tensor[tuple(slice(a, b) for a, b in zip(starts, ends, strict=True))]


@symbol("strided_slice")
def strided_slice(
    input_: Any,
    begin: Any,
    end: Any,
    strides: Any = None,
    begin_mask: int = 0,
    end_mask: int = 0,
    ellipsis_mask: int = 0,
    new_axis_mask: int = 0,
    shrink_axis_mask: int = 0,
    var: Any = None,
    name: str | None = None,
) -> Any:
    """Return ``input_[begin:end:strides]`` axis by axis; a bit of a mask changes the axis of its number."""
    starts, ends = sizes(begin), sizes(end)
    steps = [1] * len(starts) if strides is None else sizes(strides)
    keys: list[Any] = []
    for number, (start, stop, step) in enumerate(zip(starts, ends, steps, strict=True)):
        bit = 1 << number
        if ellipsis_mask & bit:
            keys.append(Ellipsis)
        elif new_axis_mask & bit:
            keys.append(None)
        elif shrink_axis_mask & bit:
            keys.append(start)
        else:
            keys.append(slice(None if begin_mask & bit else start, None if end_mask & bit else stop, step))
    return item(input_ if is_static(input_) else as_tensor(input_), tuple(keys))


@symbol("gather", "keras.backend.gather")
def gather(
    params: Any,
    indices: Any,
    validate_indices: Any = None,
    name: str | None = None,
    axis: Any = None,
    batch_dims: int = 0,
) -> Any:
    """Return the items along an axis that indices name; the first ``batch_dims`` axes are shared.

    Raises:
        ClaraError: the indices are no whole numbers.
    """
    if is_static(params) and not isinstance(indices, torch.Tensor):
        return np.take(params, indices, given(axis, 0))
    source, index = as_tensor(params), as_tensor(indices)
    if index.is_floating_point():
        raise refusal("tf.gather takes whole numbers as indices: use tf.cast(indices, tf.int32)")
    index = index.to(source.device, torch.int64)
    at = axis_of(given(axis, batch_dims), source.ndim, "tf.gather")
    if not batch_dims:
        taken = source.index_select(at, index.reshape(-1))
        return taken.reshape([*source.shape[:at], *index.shape, *source.shape[at + 1 :]])
    shared = source.shape[:batch_dims]
    flat_source, flat_index = source.flatten(0, batch_dims - 1), index.flatten(0, batch_dims - 1)
    parts = [gather(one, which, axis=at - batch_dims) for one, which in zip(flat_source, flat_index, strict=True)]
    return torch.stack(parts).reshape([*shared, *parts[0].shape])


@symbol("batch_gather")
def batch_gather(params: Any, indices: Any, name: str | None = None) -> Any:
    """Return the items that indices name, the leading axes shared."""
    return gather(params, indices, batch_dims=as_tensor(indices).ndim - 1)


@symbol("gather_nd", "manip.gather_nd")
def gather_nd(params: Any, indices: Any, name: str | None = None, batch_dims: int = 0) -> torch.Tensor:
    """Return the values or slices at places; the last axis of the indices holds the coordinates."""
    source = as_tensor(params)
    index = as_tensor(indices).to(source.device, torch.int64)
    if batch_dims:
        pairs = zip(source.flatten(0, batch_dims - 1), index.flatten(0, batch_dims - 1), strict=True)
        parts = [gather_nd(one, which) for one, which in pairs]
        return torch.stack(parts).reshape([*source.shape[:batch_dims], *parts[0].shape])
    if index.shape[-1] > source.ndim:
        raise refusal(f"tf.gather_nd: {index.shape[-1]} coordinates for a tensor of {source.ndim} axes")
    return source[index.unbind(-1)] if index.shape[-1] else source.expand(*index.shape[:-1], *source.shape)


@symbol("scatter_nd", "manip.scatter_nd")
def scatter_nd(indices: Any, updates: Any, shape: Any, name: str | None = None) -> torch.Tensor:
    """Return zeros of a shape with values added at places; the last axis of the indices holds the coordinates."""
    values = as_tensor(updates)
    index = as_tensor(indices).to(values.device, torch.int64)
    empty = torch.zeros(sizes(shape), dtype=values.dtype, device=values.device)
    return empty.index_put(index.unbind(-1), values, accumulate=True)


@symbol("boolean_mask")
def boolean_mask(tensor: Any, mask: Any, name: str = "boolean_mask", axis: Any = None) -> torch.Tensor:
    """Return the items where a mask is true, the axes of the mask made one.

    Raises:
        ClaraError: the mask's shape is not that of the axes.
    """
    source, chosen = as_tensor(tensor), as_tensor(mask).bool()
    at = 0 if axis is None else axis_of(axis, source.ndim, "tf.boolean_mask")
    if chosen.ndim == 0 or source.shape[at : at + chosen.ndim] != chosen.shape:
        raise refusal(
            f"tf.boolean_mask: a mask of the shape {list(chosen.shape)} does not fit {list(source.shape)} at axis {at}"
        )
    return source[(slice(None),) * at + (chosen.to(source.device),)]


@symbol("where")
def where(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> torch.Tensor:
    """Return ``x`` where a condition is true, else ``y``; with the condition alone, the places where it is true.

    A condition of one axis chooses among the items of the first axis of larger tensors, as in TensorFlow 1.

    Raises:
        ClaraError: only one of ``x`` and ``y`` is given.
    """
    if x is not None and y is not None:
        chosen, first, second = as_tensor(condition), *tensors(x, y)
        if chosen.ndim == 1 and first.ndim > 1 and first.shape == second.shape and first.shape[0] == chosen.shape[0]:
            condition = chosen.reshape([-1] + [1] * (first.ndim - 1))
    return where_v2(condition, x, y)


@symbol("where_v2")
def where_v2(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> torch.Tensor:
    """Return ``x`` where a condition is true, else ``y``, all broadcast; or the places where it is true.

    Raises:
        ClaraError: only one of ``x`` and ``y`` is given, or the shapes do not fit.
    """
    if (x is None) != (y is None):
        raise refusal("tf.where takes both x and y, or neither")
    chosen = as_tensor(condition)
    if x is None:
        return torch.nonzero(chosen)
    first, second = tensors(x, y)
    chosen = chosen.bool().to(first.device)
    try:
        return torch.where(chosen, first, second)
    except RuntimeError as error:
        shapes = ", ".join(str(list(one.shape)) for one in (chosen, first, second))
        raise refusal(f"tf.where: the shapes {shapes} do not fit") from error
