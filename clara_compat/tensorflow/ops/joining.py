"""Tensors put together, taken apart and padded."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from clara_compat.tensorflow.convert import as_tensor, tensors
from clara_compat.tensorflow.ops.arguments import axis_of, is_static, static_array
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import symbol
from clara_compat.tensorflow.shapes import sizes

__all__ = ["concat", "pad", "split", "stack", "tile", "unstack"]


@symbol("concat")
def concat(values: Any, axis: Any, name: str = "concat") -> Any:
    """Return tensors put together along an axis.

    Raises:
        ClaraError: there is nothing to put together, or their other sizes differ, as in TensorFlow.
    """
    if isinstance(axis, list | tuple):
        raise refusal("tf.concat takes the values first and the axis second: tf.concat(values, axis)")
    if not isinstance(values, list | tuple):
        values = [values]
    if is_static(*values):
        return np.concatenate([np.atleast_1d(static_array(one)) for one in values], axis_of(axis, 1, "tf.concat"))
    return joined(tensors(*values), axis, "tf.concat")


def joined(parts: list[torch.Tensor], axis: Any, what: str) -> torch.Tensor:
    """Return tensors put together along an axis.

    Args:
        parts: one tensor or more.
        axis: the axis.
        what: the function or layer, for the message.

    Raises:
        ClaraError: their sizes or numbers of axes do not allow it; says so when ``axis=-1`` was meant for channels.
    """
    if not parts:
        raise refusal(f"{what} of an empty list")
    ndim = parts[0].ndim
    if any(one.ndim != ndim for one in parts) or ndim == 0:
        raise refusal(f"{what}: tensors of the shapes {_told(parts)} cannot be put together")
    at = axis_of(axis, ndim, what)
    others = [[size for number, size in enumerate(one.shape) if number != at] for one in parts]
    if any(other != others[0] for other in others):
        message = f"{what}: tensors of the shapes {_told(parts)} cannot be put together along axis {at}"
        same_space = all(one.shape[2:] == parts[0].shape[2:] for one in parts)
        if axis == -1 and ndim > 3 and same_space:
            message += (
                "; axis -1 is the last spatial axis of channels_first tensors: pass axis=1 or "
                "data_format='channels_last'"
            )
        raise refusal(message)
    return parts[0] if len(parts) == 1 else torch.cat(parts, at)


def _told(parts: list[torch.Tensor]) -> str:
    return " and ".join(str(list(one.shape)) for one in parts)


@symbol("stack")
def stack(values: Any, axis: Any = 0, name: str = "stack") -> Any:
    """Return tensors put together along a new axis.

    Raises:
        ClaraError: their shapes differ.
    """
    if is_static(*values) or (isinstance(values, list | tuple) and is_static(list(values))):
        return np.stack([static_array(one) for one in values], axis)
    found = tensors(*values)
    if not found or any(one.shape != found[0].shape for one in found):
        raise refusal(f"tf.stack: tensors of the shapes {_told(found)} cannot be stacked")
    return torch.stack(found, axis_of(axis, found[0].ndim + 1, "tf.stack"))


@symbol("parallel_stack")
def parallel_stack(values: Any, name: str = "parallel_stack") -> Any:
    """Return tensors put together along a new first axis."""
    return stack(values)


@symbol("unstack")
def unstack(value: Any, num: Any = None, axis: Any = 0, name: str = "unstack") -> list[Any]:
    """Return the items along an axis as a list."""
    if is_static(value):
        array = np.moveaxis(np.asarray(value), axis, 0)
        return list(array)
    tensor = as_tensor(value)
    found = list(tensor.unbind(axis_of(axis, tensor.ndim, "tf.unstack")))
    if num is not None and int(num) != len(found):
        raise refusal(f"tf.unstack: there are {len(found)} items, not {num}")
    return found


@symbol("split")
def split(value: Any, num_or_size_splits: Any, axis: Any = 0, num: Any = None, name: str = "split") -> list[Any]:
    """Return a tensor in parts: as many equal ones as a number says, or of the sizes of a list.

    Raises:
        ClaraError: the parts do not make up the axis.
    """
    tensor = np.asarray(value) if is_static(value) else as_tensor(value)
    at = axis_of(axis, tensor.ndim, "tf.split")
    size = int(tensor.shape[at])
    parts = sizes(num_or_size_splits)
    single = not isinstance(num_or_size_splits, list | tuple) and np.ndim(num_or_size_splits) == 0
    if single:
        if parts[0] < 1 or size % parts[0]:
            raise refusal(f"tf.split: axis {at} of the shape {list(tensor.shape)} has no {parts[0]} equal parts")
        parts = [size // parts[0]] * parts[0]
    elif -1 in parts:
        parts[parts.index(-1)] = size - sum(part for part in parts if part != -1)
    if sum(parts) != size or min(parts) < 0:
        raise refusal(f"tf.split: parts of {parts} do not make up axis {at} of the shape {list(tensor.shape)}")
    if isinstance(tensor, np.ndarray):
        return np.split(tensor, np.cumsum(parts)[:-1].tolist(), at)
    return list(torch.split(tensor, parts, at))


@symbol("tile", "manip.tile")
def tile(input: Any, multiples: Any, name: str | None = None) -> Any:
    """Return a tensor repeated along its axes.

    Raises:
        ClaraError: there is not one number for each axis.
    """
    times = sizes(multiples)
    if is_static(input):
        return np.tile(np.asarray(input), times)
    tensor = as_tensor(input)
    if len(times) != tensor.ndim:
        raise refusal(f"tf.tile: multiples={times} for a tensor of {tensor.ndim} axes")
    return tensor.tile(times)


@symbol("pad")
def pad(
    tensor: Any, paddings: Any, mode: str = "CONSTANT", name: str | None = None, constant_values: Any = 0
) -> torch.Tensor:
    """Return a tensor with values put before and behind its axes.

    Args:
        tensor: any tensor.
        paddings: for each axis, how many before and how many behind.
        mode: CONSTANT, REFLECT (without the edge) or SYMMETRIC (with it).
        name: ignored.
        constant_values: what CONSTANT puts there.

    Raises:
        ClaraError: there are not two numbers for each axis, or more than can be mirrored.
    """
    found = as_tensor(tensor)
    flat = [sizes(pair) for pair in (paddings.tolist() if isinstance(paddings, torch.Tensor) else paddings)]
    if len(flat) != found.ndim or any(len(pair) != 2 for pair in flat):
        raise refusal(f"tf.pad: paddings={flat} for a tensor of {found.ndim} axes, expected two numbers for each")
    kind = mode.upper()
    if kind == "CONSTANT":
        value = constant_values.item() if isinstance(constant_values, torch.Tensor) else constant_values
        return F.pad(found, [side for pair in reversed(flat) for side in pair], value=value)
    if kind not in ("REFLECT", "SYMMETRIC"):
        raise refusal(f"tf.pad: mode is '{mode}', expected CONSTANT, REFLECT or SYMMETRIC")
    edge = kind == "SYMMETRIC"
    for axis, (before, behind) in enumerate(flat):
        found = _mirrored(found, axis, before, behind, edge)
    return found


def _mirrored(tensor: torch.Tensor, axis: int, before: int, behind: int, edge: bool) -> torch.Tensor:
    if not before and not behind:
        return tensor
    size, skip = tensor.shape[axis], 0 if edge else 1
    if max(before, behind) > size - skip:
        raise refusal(
            f"tf.pad: {max(before, behind)} values cannot be mirrored along axis {axis} of the shape "
            f"{list(tensor.shape)}"
        )
    front = tensor.narrow(axis, skip, before).flip(axis)
    back = tensor.narrow(axis, size - skip - behind, behind).flip(axis)
    return torch.cat([front, tensor, back], axis)
