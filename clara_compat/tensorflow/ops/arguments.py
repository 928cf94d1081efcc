"""What TensorFlow's functions take for axes, sizes and numbers."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import torch

from clara_compat.tensorflow.convert import as_tensor, tensors
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.shapes import sizes

__all__ = ["axes_of", "axis_of", "given", "is_static", "narrow_again", "operands", "static_array", "wide"]

_NARROW = (torch.float16, torch.bfloat16)


def given(*values: Any) -> Any:
    """Return the first value that is not None: an argument and its older names."""
    return next((value for value in values if value is not None), None)


def axis_of(axis: Any, ndim: int, what: str) -> int:
    """Return an axis counted from the front.

    Args:
        axis: a number, also negative, or a tensor or array of one.
        ndim: number of axes that there are.
        what: the function, for the message.

    Raises:
        ClaraError: there is no such axis.
    """
    try:
        number: Any = axis.item() if isinstance(axis, torch.Tensor | np.ndarray) else axis
        found = operator.index(number)
    except (TypeError, ValueError) as error:
        raise refusal(f"{what}: the axis is {axis!r}, expected a whole number") from error
    if not -ndim <= found < ndim:
        raise refusal(f"{what}: there is no axis {found} in a tensor of {ndim} axes")
    return found % ndim


def axes_of(axis: Any, ndim: int, what: str) -> list[int]:
    """Return axes counted from the front, each once: TensorFlow takes a number, a list, also with one axis twice."""
    if axis is None:
        return list(range(ndim))
    found = sizes(axis)
    return sorted({axis_of(one, ndim, what) for one in found})


def is_static(*values: Any) -> bool:
    """Whether values are whole numbers that are known now, at least one of them from numpy, as ``tf.shape`` gives.

    What is computed of sizes stays numpy's: it never lies on an accelerator and is a constant in an exported network.
    """
    found = False
    for value in values:
        if isinstance(value, torch.Tensor):
            return False
        if isinstance(value, torch.SymInt):
            found = True
        elif isinstance(value, np.ndarray | np.generic):
            if value.dtype.kind not in "iuO":
                return False
            found = True
        elif isinstance(value, list | tuple):
            if any(isinstance(one, torch.Tensor | float | bool) for one in value):
                return False
            found = found or any(is_static(one) for one in value)
        elif type(value) is float or isinstance(value, bool):
            return False
    return found


def static_array(value: Any) -> np.ndarray:
    """Return whole numbers as an array of int32, or int64 where numpy's were."""
    array = np.asarray(value)
    return array if isinstance(value, np.ndarray | np.generic) or array.dtype == object else array.astype(np.int32)


def operands(x: Any, y: Any) -> tuple[Any, Any]:
    """Return two values as torch's operators take them: a tensor and a tensor or number.

    A Python number beside a tensor stays one, so that nothing is copied to an accelerator for it.
    """
    if isinstance(x, torch.Tensor) and _is_number(y):
        return x, _number(y)
    if isinstance(y, torch.Tensor) and _is_number(x):
        return _number(x), y
    first, second = tensors(x, y)
    return first, second


def _is_number(value: Any) -> bool:
    return (isinstance(value, int | float | torch.SymInt) and not isinstance(value, bool)) or (
        isinstance(value, np.generic) and value.dtype.kind in "iuf"
    )


def _number(value: Any) -> int | float:
    found: int | float = value.item() if isinstance(value, np.generic) else value
    return int(found) if isinstance(found, int) else found  # of a Dimension its number


def wide(value: Any) -> torch.Tensor:
    """Return a value as a tensor to sum over: 16-bit floating point as float32."""
    tensor = as_tensor(value)
    return tensor.float() if tensor.dtype in _NARROW else tensor


def narrow_again(result: torch.Tensor, before: Any) -> torch.Tensor:
    """Return a sum in the type of what was summed, but in float32 under autocast: a loss must not be rounded."""
    if isinstance(before, torch.Tensor) and before.dtype in _NARROW and result.dtype == torch.float32:
        return result if torch.is_autocast_enabled(before.device.type) else result.to(before.dtype)
    return result
