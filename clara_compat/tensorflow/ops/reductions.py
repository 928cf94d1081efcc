"""Sums and other reductions over axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from clara_compat.tensorflow.convert import as_tensor
from clara_compat.tensorflow.dtypes import torch_dtype
from clara_compat.tensorflow.ops.arguments import axes_of, axis_of, given, is_static, narrow_again, wide
from clara_compat.tensorflow.ops.roots import square_root
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import register, symbol

__all__ = ["argmax", "argmin", "reduce_max", "reduce_mean", "reduce_min", "reduce_prod", "reduce_sum", "variance"]

Reduce = Callable[[torch.Tensor, list[int], bool], torch.Tensor]


def _sum(x: torch.Tensor, axes: list[int], keep: bool) -> torch.Tensor:
    return torch.sum(x, axes, keep, dtype=x.dtype)


def _mean(x: torch.Tensor, axes: list[int], keep: bool) -> torch.Tensor:
    if x.is_floating_point():
        return torch.mean(x, axes, keep)
    count = 1
    for axis in axes:
        count *= x.shape[axis]
    return torch.div(_sum(x, axes, keep), count, rounding_mode="trunc")


def _one_by_one(function: Callable[[torch.Tensor, int, bool], torch.Tensor]) -> Reduce:
    def reduce(x: torch.Tensor, axes: list[int], keep: bool) -> torch.Tensor:
        for axis in reversed(axes):
            x = function(x, axis, keep)
        return x

    return reduce


def _prod(x: torch.Tensor, axis: int, keep: bool) -> torch.Tensor:
    return torch.prod(x, axis, keep, dtype=x.dtype)


def _logsumexp(x: torch.Tensor, axes: list[int], keep: bool) -> torch.Tensor:
    return torch.logsumexp(x, axes, keep)


def variance(x: torch.Tensor, axes: list[int], keep: bool) -> torch.Tensor:
    """Return the mean of the squared distances from the mean."""
    return torch.var(x, axes, correction=0, keepdim=keep)


def _deviation(x: torch.Tensor, axes: list[int], keep: bool) -> torch.Tensor:
    return square_root(variance(x, axes, keep))


def _norm(x: torch.Tensor, axes: list[int], keep: bool) -> torch.Tensor:
    return square_root(_sum(x * x, axes, keep))


def _reduction(function: Reduce, of_sizes: Callable[..., Any] | None = None, wider: bool = True) -> Callable[..., Any]:
    def reduce(
        input_tensor: Any,
        axis: Any = None,
        keepdims: bool | None = None,
        name: str | None = None,
        reduction_indices: Any = None,
        keep_dims: bool | None = None,
    ) -> Any:
        axis, keep = given(axis, reduction_indices), bool(given(keepdims, keep_dims))
        if of_sizes is not None and is_static(input_tensor):
            array = np.asarray(input_tensor)
            axes = tuple(axes_of(axis, array.ndim, "a reduction"))
            return np.asarray(of_sizes(array, axis=axes, keepdims=keep)).astype(array.dtype)[()]
        before = as_tensor(input_tensor)
        x = wide(before) if wider else before
        if wider and before.dtype == torch.bool:
            raise refusal("a sum or mean of bool: TensorFlow takes numbers, use tf.cast")
        found = axes_of(axis, x.ndim, "a reduction")
        if not found:
            return before
        return narrow_again(function(x, found, keep), before)

    return reduce


reduce_sum = _reduction(_sum, np.sum)
reduce_mean = _reduction(_mean)
reduce_max = _reduction(torch.amax, np.max, wider=False)
reduce_min = _reduction(torch.amin, np.min, wider=False)
reduce_prod = _reduction(_one_by_one(_prod), np.prod)
reduce_logsumexp = _reduction(_logsumexp)
reduce_any = _reduction(_one_by_one(torch.any), wider=False)
reduce_all = _reduction(_one_by_one(torch.all), wider=False)
register(reduce_sum, "reduce_sum", "math.reduce_sum")
register(reduce_mean, "reduce_mean", "math.reduce_mean")
register(reduce_max, "reduce_max", "math.reduce_max")
register(reduce_min, "reduce_min", "math.reduce_min")
register(reduce_prod, "reduce_prod", "math.reduce_prod")
register(reduce_logsumexp, "reduce_logsumexp", "math.reduce_logsumexp")
register(_reduction(variance), "math.reduce_variance")
register(_reduction(_deviation), "math.reduce_std")
register(_reduction(_norm), "math.reduce_euclidean_norm")
register(reduce_any, "reduce_any", "math.reduce_any")
register(reduce_all, "reduce_all", "math.reduce_all")


@symbol("count_nonzero", "math.count_nonzero")
def count_nonzero(
    input_tensor: Any = None,
    axis: Any = None,
    keepdims: bool | None = None,
    dtype: Any = "int64",
    name: str | None = None,
    reduction_indices: Any = None,
    keep_dims: bool | None = None,
    input: Any = None,
) -> torch.Tensor:
    """Return how many values are not zero."""
    counted = (as_tensor(given(input_tensor, input)) != 0).to(torch_dtype(dtype))
    found: torch.Tensor = reduce_sum(counted, axis, keepdims, None, reduction_indices, keep_dims)
    return found


def _index(function: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    def index(
        input: Any,
        axis: Any = None,
        name: str | None = None,
        dimension: Any = None,
        output_type: Any = "int64",
    ) -> torch.Tensor:
        tensor = as_tensor(input)
        if tensor.dtype == torch.bool:
            tensor = tensor.to(torch.uint8)
        found = axis_of(given(axis, dimension, 0), tensor.ndim, "tf.argmax and tf.argmin")
        return function(tensor, found).to(torch_dtype(output_type))

    return index


argmax = _index(torch.argmax)
argmin = _index(torch.argmin)
register(argmax, "argmax", "math.argmax", "arg_max")
register(argmin, "argmin", "math.argmin", "arg_min")


def _running(function: Callable[..., torch.Tensor], neutral: float) -> Callable[..., torch.Tensor]:
    def running(
        x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None
    ) -> torch.Tensor:
        tensor = wide(x)
        found = axis_of(axis, tensor.ndim, "a cumulative sum or product")
        if reverse:
            tensor = tensor.flip(found)
        if exclusive:
            edge = torch.full_like(tensor.narrow(found, 0, 1), neutral)
            tensor = torch.cat([edge, tensor.narrow(found, 0, tensor.shape[found] - 1)], found)
        result = function(tensor, found, dtype=tensor.dtype)
        return narrow_again(result.flip(found) if reverse else result, x)

    return running


cumsum = _running(torch.cumsum, 0)
cumprod = _running(torch.cumprod, 1)
register(cumsum, "cumsum", "math.cumsum")
register(cumprod, "cumprod", "math.cumprod")
