"""``keras.backend``: functions of arrays, with Keras's arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from clara_compat.tensorflow.convert import as_tensor, tensors
from clara_compat.tensorflow.dtypes import torch_dtype
from clara_compat.tensorflow.graph import current
from clara_compat.tensorflow.keras_backend.program import channels_first, floatx
from clara_compat.tensorflow.ops import joining, reductions, reshaping
from clara_compat.tensorflow.ops.arguments import axis_of, is_static
from clara_compat.tensorflow.ops.casting import identity
from clara_compat.tensorflow.ops.creating import eye as identity_matrix
from clara_compat.tensorflow.ops.creating import one_hot as coded
from clara_compat.tensorflow.ops.creating import ones as of_ones
from clara_compat.tensorflow.ops.creating import tf_range
from clara_compat.tensorflow.ops.creating import zeros as of_zeros
from clara_compat.tensorflow.ops.elementwise import sqrt
from clara_compat.tensorflow.ops.matrices import matmul
from clara_compat.tensorflow.ops.variables import backend_variable
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import register, symbol
from clara_compat.tensorflow.shapes import sizes

__all__: list[str] = []

register(identity, "keras.backend.identity")


def _reduction(function: Callable[..., Any], of_truth: str = "as it is") -> Callable[..., Any]:
    def reduce(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        if not is_static(x):
            x = as_tensor(x)
            if of_truth == "number" and x.dtype == torch.bool:
                x = x.to(torch_dtype(floatx()))
            elif of_truth == "truth":
                x = x.bool()
        return function(x, axis, keepdims)

    return reduce


def _variance(x: torch.Tensor, axis: Any, keepdims: bool) -> torch.Tensor:
    mean = reductions.reduce_mean(x, axis, keepdims=True)
    found: torch.Tensor = reductions.reduce_mean(torch.square(x - mean), axis, keepdims)
    return found


def _deviation(x: torch.Tensor, axis: Any, keepdims: bool) -> torch.Tensor:
    return sqrt(_variance(x, axis, keepdims))


register(_reduction(reductions.reduce_sum), "keras.backend.sum")
register(_reduction(reductions.reduce_prod), "keras.backend.prod")
register(_reduction(reductions.reduce_max), "keras.backend.max")
register(_reduction(reductions.reduce_min), "keras.backend.min")
register(_reduction(reductions.reduce_mean, "number"), "keras.backend.mean")
register(_reduction(_variance, "number"), "keras.backend.var")
register(_reduction(_deviation, "number"), "keras.backend.std")
register(_reduction(reductions.reduce_logsumexp), "keras.backend.logsumexp")
register(_reduction(reductions.reduce_any, "truth"), "keras.backend.any")
register(_reduction(reductions.reduce_all, "truth"), "keras.backend.all")


@symbol("keras.backend.argmax")
def argmax(x: Any, axis: Any = -1) -> torch.Tensor:
    """Return the places of the largest values along an axis."""
    return reductions.argmax(x, axis)


@symbol("keras.backend.argmin")
def argmin(x: Any, axis: Any = -1) -> torch.Tensor:
    """Return the places of the smallest values along an axis."""
    return reductions.argmin(x, axis)


@symbol("keras.backend.cumsum")
def cumsum(x: Any, axis: Any = 0) -> torch.Tensor:
    """Return the sums of the values so far along an axis."""
    return reductions.cumsum(x, axis)


@symbol("keras.backend.cumprod")
def cumprod(x: Any, axis: Any = 0) -> torch.Tensor:
    """Return the products of the values so far along an axis."""
    return reductions.cumprod(x, axis)


@symbol("keras.backend.pow")
def power(x: Any, a: Any) -> torch.Tensor:
    """Return a power of each value."""
    return torch.pow(as_tensor(x), a)


@symbol("keras.backend.sqrt")
def square_root(x: Any) -> torch.Tensor:
    """Return square roots, of negative values 0."""
    return sqrt(clip(x, 0.0, None))


@symbol("keras.backend.clip")
def clip(x: Any, min_value: Any, max_value: Any) -> torch.Tensor:
    """Return values brought into a range; None leaves a side open."""
    from clara_compat.tensorflow.ops.elementwise import clip_by_value

    low = float("-inf") if min_value is None else min_value
    high = float("inf") if max_value is None else max_value
    if isinstance(low, int | float) and isinstance(high, int | float) and high < low:
        high = low
    return clip_by_value(x, low, high)


@symbol("keras.backend.concatenate")
def concatenate(tensors: Any, axis: Any = -1) -> Any:
    """Return tensors put together along an axis, the last if none is given."""
    return joining.concat(tensors, axis)


@symbol("keras.backend.stack")
def stack(x: Any, axis: Any = 0) -> Any:
    """Return tensors put together along a new axis."""
    return joining.stack(x, axis)


@symbol("keras.backend.squeeze")
def squeeze(x: Any, axis: Any) -> Any:
    """Return a tensor without an axis of size 1."""
    return reshaping.squeeze(x, axis)


@symbol("keras.backend.expand_dims")
def expand_dims(x: Any, axis: Any = -1) -> Any:
    """Return a tensor with a new axis of size 1."""
    return reshaping.expand_dims(x, axis)


@symbol("keras.backend.flatten")
def flatten(x: Any) -> Any:
    """Return the values in one axis."""
    return reshaping.reshape(x, [-1])


@symbol("keras.backend.batch_flatten")
def batch_flatten(x: Any) -> torch.Tensor:
    """Return the values of each item in one axis."""
    return as_tensor(x).flatten(1)


@symbol("keras.backend.transpose")
def transpose(x: Any) -> torch.Tensor:
    """Return a tensor with its axes in reverse."""
    return reshaping.transpose(x)


@symbol("keras.backend.permute_dimensions")
def permute_dimensions(x: Any, pattern: Any) -> torch.Tensor:
    """Return a tensor with its axes in another order."""
    return reshaping.transpose(x, pattern)


@symbol("keras.backend.reverse")
def reverse(x: Any, axes: Any) -> Any:
    """Return a tensor with the values along axes in reverse."""
    return reshaping.reverse(x, axes)


@symbol("keras.backend.repeat_elements")
def repeat_elements(x: Any, rep: int, axis: Any) -> torch.Tensor:
    """Return a tensor with each item along an axis repeated."""
    tensor = as_tensor(x)
    return torch.repeat_interleave(tensor, int(rep), axis_of(axis, tensor.ndim, "K.repeat_elements"))


@symbol("keras.backend.repeat")
def repeat(x: Any, n: int) -> torch.Tensor:
    """Return each row of a matrix ``n`` times: (N, n, size)."""
    tensor = as_tensor(x)
    if tensor.ndim != 2:
        raise refusal(f"K.repeat takes a tensor of 2 axes, not {list(tensor.shape)}")
    return tensor.unsqueeze(1).repeat(1, int(n), 1)


@symbol("keras.backend.tile")
def tile(x: Any, n: Any) -> Any:
    """Return a tensor repeated along its axes."""
    return joining.tile(x, sizes(n))


@symbol("keras.backend.arange")
def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = "int32") -> torch.Tensor:
    """Return numbers from ``start`` (0 when only one is given) up to, without, ``stop``."""
    return tf_range(start, stop, step, dtype)


@symbol("keras.backend.one_hot")
def one_hot(indices: Any, num_classes: Any) -> torch.Tensor:
    """Return codes along a new last axis."""
    return coded(indices, num_classes)


def _filled(value: torch.Tensor, dtype: Any, name: str | None) -> torch.Tensor:
    """Return a variable; its name comes second, after that of the operation which makes its value."""
    if name is not None:
        current("a variable").unique_name(name)
    return backend_variable(value, dtype or floatx(), name)


@symbol("keras.backend.zeros")
def zeros(shape: Any, dtype: Any = None, name: str | None = None) -> torch.Tensor:
    """Return a trainable variable of zeros: Keras makes one."""
    return _filled(of_zeros(shape), dtype, name)


@symbol("keras.backend.ones")
def ones(shape: Any, dtype: Any = None, name: str | None = None) -> torch.Tensor:
    """Return a trainable variable of ones: Keras makes one."""
    return _filled(of_ones(shape), dtype, name)


@symbol("keras.backend.eye")
def eye(size: Any, dtype: Any = None, name: str | None = None) -> torch.Tensor:
    """Return a trainable variable that is the identity matrix: Keras makes one."""
    return backend_variable(identity_matrix(size), dtype or floatx(), name)


@symbol("keras.backend.zeros_like")
def zeros_like(x: Any, dtype: Any = None, name: str | None = None) -> torch.Tensor:
    """Return zeros in the shape of another tensor."""
    return torch.zeros_like(as_tensor(x), dtype=None if dtype is None else torch_dtype(dtype))


@symbol("keras.backend.ones_like")
def ones_like(x: Any, dtype: Any = None, name: str | None = None) -> torch.Tensor:
    """Return ones in the shape of another tensor."""
    return torch.ones_like(as_tensor(x), dtype=None if dtype is None else torch_dtype(dtype))


@symbol("keras.backend.dot")
def dot(x: Any, y: Any) -> torch.Tensor:
    """Return the sum of products over the last axis of one and the last but one of the other."""
    first, second = tensors(x, y)
    if first.ndim <= 2 and second.ndim == 2:
        return matmul(first, second)
    return torch.tensordot(first, second, dims=([first.ndim - 1], [max(second.ndim - 2, 0)]))


@symbol("keras.backend.batch_dot")
def batch_dot(x: Any, y: Any, axes: Any = None) -> torch.Tensor:
    """Return the sum of products over an axis of each, item by item of the batch.

    Raises:
        ClaraError: the axes have different sizes, or are those of the batch.
    """
    first, second = tensors(x, y)
    pair = [first.ndim - 1, max(second.ndim - 2, 1)] if axes is None else sizes(axes)
    of_first = axis_of(pair[0], first.ndim, "K.batch_dot")
    of_second = axis_of(pair[-1], second.ndim, "K.batch_dot")
    if 0 in (of_first, of_second) or first.shape[of_first] != second.shape[of_second]:
        raise refusal(f"K.batch_dot: axes {pair} of the shapes {list(first.shape)} and {list(second.shape)}")
    rows, columns = first.movedim(of_first, -1), second.movedim(of_second, 1)
    product = rows.flatten(1, -2) if rows.ndim > 2 else rows.unsqueeze(1)
    result = product @ (columns.flatten(2) if columns.ndim > 2 else columns.unsqueeze(2))
    result = result.reshape([first.shape[0], *rows.shape[1:-1], *columns.shape[2:]])
    return result.unsqueeze(1) if result.ndim == 1 else result


def _padding(dims: int) -> Callable[..., torch.Tensor]:
    def pad(x: Any, padding: Any = ((1, 1),) * dims, data_format: str | None = None) -> torch.Tensor:
        inner = [sizes(pair) for pair in padding]
        none = [[0, 0]]
        return joining.pad(x, [*none, *none, *inner] if channels_first(data_format) else [*none, *inner, *none])

    return pad


register(_padding(2), "keras.backend.spatial_2d_padding")
register(_padding(3), "keras.backend.spatial_3d_padding")


@symbol("keras.backend.temporal_padding")
def temporal_padding(x: Any, padding: Any = (1, 1)) -> torch.Tensor:
    """Return a tensor (N, time, size) with zeros before and behind."""
    return joining.pad(x, [[0, 0], sizes(padding), [0, 0]])
