"""Functions of each value, and of each pair of values."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from clara_compat.tensorflow.convert import as_tensor, tensors
from clara_compat.tensorflow.dtypes import as_dtype
from clara_compat.tensorflow.operands import not_fitting, require_one_type
from clara_compat.tensorflow.ops import roots
from clara_compat.tensorflow.ops.arguments import is_static, narrow_again, operands, wide
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import register, symbol

__all__ = ["add_n", "clip_by_value", "maximum", "minimum", "sqrt", "square"]


_ONE_VALUE: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "abs": torch.abs,
    "negative": torch.neg,
    "sign": torch.sign,
    "square": torch.square,
    "sqrt": roots.square_root,
    "rsqrt": roots.inverse_square_root,
    "exp": torch.exp,
    "expm1": torch.expm1,
    "log": torch.log,
    "log1p": torch.log1p,
    "reciprocal": roots.reciprocal,
    "floor": torch.floor,
    "ceil": torch.ceil,
    "round": torch.round,
    "rint": torch.round,
    "sin": torch.sin,
    "cos": torch.cos,
    "tan": torch.tan,
    "asin": torch.asin,
    "acos": torch.acos,
    "atan": torch.atan,
    "sinh": torch.sinh,
    "cosh": torch.cosh,
    "asinh": torch.asinh,
    "acosh": torch.acosh,
    "atanh": torch.atanh,
    "erf": torch.erf,
    "erfc": torch.erfc,
    "lgamma": torch.lgamma,
    "digamma": torch.digamma,
    "is_nan": torch.isnan,
    "is_inf": torch.isinf,
    "is_finite": torch.isfinite,
    "logical_not": torch.logical_not,
    "log_sigmoid": F.logsigmoid,
}
_FURTHER_NAMES = {
    "abs": ("keras.backend.abs",),
    "negative": ("neg",),
    "log": ("keras.backend.log",),
    "exp": ("keras.backend.exp",),
    "sign": ("keras.backend.sign",),
    "square": ("keras.backend.square",),
    "round": ("keras.backend.round",),
    "sin": ("keras.backend.sin",),
    "cos": ("keras.backend.cos",),
    "is_nan": ("debugging.is_nan",),
    "is_inf": ("debugging.is_inf",),
    "is_finite": ("debugging.is_finite",),
    "ceil": ("math.ceil",),
}


_FLOATING = ("exp", "expm1", "log", "log1p", "rsqrt", "sqrt")
"""Functions that TensorFlow has for floating point only."""


def _of_one(function: Callable[[torch.Tensor], torch.Tensor], name_of_it: str = "") -> Callable[..., torch.Tensor]:
    def of_one(x: Any, name: str | None = None) -> torch.Tensor:
        tensor = as_tensor(x)
        if name_of_it in _FLOATING and not tensor.is_floating_point():
            raise refusal(
                f"tf.{name_of_it} of {as_dtype(tensor.dtype).name}: TensorFlow takes floating point, use tf.cast"
            )
        return function(tensor)

    return of_one


for _name, _function in _ONE_VALUE.items():
    _names = [_name, f"math.{_name}", *_FURTHER_NAMES.get(_name, ())]
    register(_of_one(_function, _name), *dict.fromkeys(_names))
register(_of_one(torch.ceil), "math.ceiling")

square = _of_one(torch.square)
sqrt = _of_one(roots.square_root)


def _divide(x: Any, y: Any) -> Any:
    """Divide; TensorFlow makes float64 of int32."""
    if _is_whole(x) and _is_whole(y):
        x, y = (one.double() if isinstance(one, torch.Tensor) else one for one in (x, y))
    return operator.truediv(x, y)


def _is_whole(value: Any) -> bool:
    return not value.is_floating_point() if isinstance(value, torch.Tensor) else isinstance(value, int)


def _old_divide(x: Any, y: Any) -> Any:
    """Divide as Python 2 did: whole numbers by the floor."""
    return _floor_divide(x, y) if _is_whole(x) and _is_whole(y) else operator.truediv(x, y)


def _floor_divide(x: Any, y: Any) -> Any:
    if not isinstance(x, torch.Tensor):
        x = torch.full_like(y, x)
    return torch.div(x, y, rounding_mode="floor")


def _remainder(x: Any, y: Any) -> Any:
    if isinstance(y, torch.Tensor) and y.requires_grad:  # torch knows no gradient for a divisor
        return x - y * _floor_divide(x, y).detach()
    return torch.remainder(x, y)


def _no_nan(x: Any, y: Any) -> torch.Tensor:
    first, second = tensors(x, y)
    zero = second == 0
    return torch.where(zero, torch.zeros_like(second), first / torch.where(zero, torch.ones_like(second), second))


def _larger(x: Any, y: Any) -> torch.Tensor:
    return torch.where(x >= y, x, y)


def _smaller(x: Any, y: Any) -> torch.Tensor:
    return torch.where(x <= y, x, y)


def _squared_difference(x: Any, y: Any) -> torch.Tensor:
    return torch.square(x - y)


def _power(x: Any, y: Any) -> torch.Tensor:
    return operator.pow(x, y)


_TWO_VALUES: dict[tuple[str, ...], tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any] | None]] = {
    ("add", "math.add"): (operator.add, np.add),
    ("subtract", "math.subtract", "sub"): (operator.sub, np.subtract),
    ("multiply", "math.multiply", "mul"): (operator.mul, np.multiply),
    ("divide", "math.divide", "truediv", "math.truediv", "realdiv"): (_divide, None),
    ("div",): (_old_divide, np.floor_divide),
    ("floordiv", "math.floordiv", "floor_div"): (_floor_divide, np.floor_divide),
    ("mod", "math.mod", "floormod", "math.floormod"): (_remainder, np.remainder),
    ("div_no_nan", "math.divide_no_nan", "math.div_no_nan"): (_no_nan, None),
    ("maximum", "math.maximum", "keras.backend.maximum"): (_larger, np.maximum),
    ("minimum", "math.minimum", "keras.backend.minimum"): (_smaller, np.minimum),
    ("squared_difference", "math.squared_difference"): (_squared_difference, None),
    ("pow", "math.pow"): (_power, np.power),
    ("equal", "math.equal", "keras.backend.equal"): (operator.eq, None),
    ("not_equal", "math.not_equal", "keras.backend.not_equal"): (operator.ne, None),
    ("greater", "math.greater", "keras.backend.greater"): (operator.gt, None),
    ("greater_equal", "math.greater_equal", "keras.backend.greater_equal"): (operator.ge, None),
    ("less", "math.less", "keras.backend.less"): (operator.lt, None),
    ("less_equal", "math.less_equal", "keras.backend.less_equal"): (operator.le, None),
    ("logical_and", "math.logical_and"): (operator.and_, None),
    ("logical_or", "math.logical_or"): (operator.or_, None),
    ("logical_xor", "math.logical_xor"): (operator.xor, None),
}


def _of_two(
    function: Callable[[Any, Any], Any], of_sizes: Callable[[Any, Any], Any] | None
) -> Callable[..., torch.Tensor]:
    def of_two(x: Any, y: Any, name: str | None = None) -> Any:
        if of_sizes is not None and is_static(x, y):
            return of_sizes(x, y)
        first, second = operands(x, y)
        require_one_type(first, second)
        try:
            return function(first, second)
        except RuntimeError as error:
            raise not_fitting(first, second, error) from error

    return of_two


for _all_names, (_function2, _of_sizes) in _TWO_VALUES.items():
    register(_of_two(_function2, _of_sizes), *_all_names)

maximum = _of_two(_larger, np.maximum)
minimum = _of_two(_smaller, np.minimum)


@symbol("math.atan2", "atan2")
def atan2(y: Any, x: Any, name: str | None = None) -> torch.Tensor:
    """Return the angle of the points (x, y)."""
    return torch.atan2(*tensors(y, x))


@symbol("math.xlogy")
def xlogy(x: Any, y: Any, name: str | None = None) -> torch.Tensor:
    """Return ``x * log(y)``, 0 where x is."""
    return torch.xlogy(*tensors(x, y))


@symbol("add_n", "math.add_n", "math.accumulate_n", "accumulate_n")
def add_n(inputs: Any, name: str | None = None) -> torch.Tensor:
    """Return the sum of a list of tensors.

    Raises:
        ClaraError: the list is empty.
    """
    found = tensors(*inputs) if isinstance(inputs, list | tuple) else [as_tensor(inputs)]
    if not found:
        raise refusal("tf.add_n of an empty list")
    total = found[0]
    for one in found[1:]:
        total = total + one
    return total


@symbol("clip_by_value")
def clip_by_value(t: Any, clip_value_min: Any, clip_value_max: Any, name: str | None = None) -> torch.Tensor:
    """Return values brought into a range; the gradient at its ends is that of the inside."""
    tensor = as_tensor(t)
    if isinstance(clip_value_min, int | float) and isinstance(clip_value_max, int | float):
        return tensor.clamp(clip_value_min, clip_value_max)
    return maximum(minimum(tensor, clip_value_max), clip_value_min)


@symbol("clip_by_norm")
def clip_by_norm(t: Any, clip_norm: Any, axes: Any = None, name: str | None = None) -> torch.Tensor:
    """Return a tensor scaled down to a Euclidean norm where its own is larger."""
    from clara_compat.tensorflow.ops.reductions import reduce_sum

    tensor = wide(t)
    total = reduce_sum(tensor * tensor, axes, keepdims=True)
    safe = torch.where(total > 0, total, torch.ones_like(total))
    norm = torch.where(total > 0, safe.sqrt(), total)
    return narrow_again(tensor * clip_norm / maximum(norm, clip_norm), t)
