"""What TensorFlow's functions take for a tensor."""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np
import torch

from clara_compat.tensorflow.dtypes import torch_dtype
from clara_compat.tensorflow.graph import running

__all__ = ["alike", "as_tensor", "tensors"]


def as_tensor(value: Any, dtype: Any = None, like: torch.Tensor | None = None) -> torch.Tensor:
    """Return a value as a tensor: a number, a boolean, an array, nested lists that may hold tensors, or a tensor.

    Args:
        value: the value; a tensor keeps its type and device unless ``dtype`` is given.
        dtype: the type; None: that of ``like``, or TensorFlow's for the value: float32, int32 or bool for Python's,
            the array's own for numpy's.
        like: a tensor whose type (unless it is an integer and the value is not) and device are taken.
    """
    if isinstance(value, torch.Tensor):
        return value if dtype is None else value.to(torch_dtype(dtype))
    graph = running()
    device = like.device if like is not None else graph.device if graph is not None else None
    if isinstance(value, list | tuple) and any(isinstance(one, torch.Tensor) for one in value):
        first = next(one for one in value if isinstance(one, torch.Tensor))
        tensor = torch.stack([as_tensor(one, like=first) for one in value])
    else:
        array = np.asarray(value)
        tensor = torch.as_tensor(array)
        if dtype is None and not isinstance(value, np.ndarray | np.generic):  # Python's numbers are single
            tensor = tensor.to({torch.float64: torch.float32, torch.int64: torch.int32}.get(tensor.dtype, tensor.dtype))
    if dtype is not None:
        tensor = tensor.to(torch_dtype(dtype))
    elif like is not None and (like.is_floating_point() or not tensor.is_floating_point()):
        tensor = tensor.to(like.dtype)
    return tensor if device is None else tensor.to(device)


def tensors(*values: Any) -> list[torch.Tensor]:
    """Return values as tensors; those that are none yet take the type and device of the first that is."""
    first = next((value for value in values if isinstance(value, torch.Tensor)), None)
    return [as_tensor(value, like=first) for value in values]


def alike(*values: torch.Tensor, autocast: bool = True) -> list[torch.Tensor]:
    """Return floating point tensors in the widest of their types: in double precision constants are single still.

    Args:
        values: the tensors.
        autocast: whether torch's autocast knows what they are for, and sees to their types itself where it is on.
    """
    types = {value.dtype for value in values}
    if len(types) == 1 or not all(dtype.is_floating_point for dtype in types):
        return list(values)
    if autocast and torch.is_autocast_enabled(values[0].device.type):
        return list(values)
    widest = reduce(torch.promote_types, types)
    return [value.to(widest) for value in values]
