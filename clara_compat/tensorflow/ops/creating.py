"""New tensors: constants, ranges, one-hot codes."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from clara_compat.tensorflow.convert import as_tensor, tensors
from clara_compat.tensorflow.dtypes import torch_dtype
from clara_compat.tensorflow.graph import running
from clara_compat.tensorflow.ops.arguments import axis_of, given, is_static
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import symbol
from clara_compat.tensorflow.shapes import sizes

__all__ = ["constant", "device", "fill", "one_hot", "ones", "zeros"]


def device() -> torch.device | None:
    """Return where new tensors are made."""
    graph = running()
    return None if graph is None else graph.device


@symbol("constant", "constant_v1")
def constant(
    value: Any, dtype: Any = None, shape: Any = None, name: str = "Const", verify_shape: bool = False
) -> torch.Tensor:
    """Return a tensor of a value; one number, or the last one given, fills a shape.

    Raises:
        ClaraError: there are more values than the shape has room for.
    """
    tensor = as_tensor(value, dtype)
    if shape is None:
        return tensor
    wanted = torch.Size(sizes(shape))
    if tensor.shape == wanted:
        return tensor
    flat, count = tensor.reshape(-1), wanted.numel()
    if verify_shape or flat.numel() > count or not flat.numel():
        raise refusal(f"tf.constant: {flat.numel()} values do not make the shape {list(wanted)}")
    return torch.cat([flat, flat[-1:].expand(count - flat.numel())]).reshape(wanted)


@symbol("convert_to_tensor")
def convert_to_tensor(
    value: Any, dtype: Any = None, name: str | None = None, preferred_dtype: Any = None, dtype_hint: Any = None
) -> torch.Tensor:
    """Return a value as a tensor."""
    return as_tensor(value, dtype)


@symbol("placeholder_with_default")
def placeholder_with_default(input: Any, shape: Any, name: str | None = None) -> torch.Tensor:
    """Return the default: nothing else is ever fed."""
    return as_tensor(input)


@symbol("placeholder", "keras.backend.placeholder")
def placeholder(*args: Any, **kwargs: Any) -> torch.Tensor:
    """Refuse: what Clara feeds comes as arguments.

    Raises:
        ClaraError: always.
    """
    raise refusal("a placeholder has no values here: use the arguments of get_predictions and get_loss, or build_ctx")


@symbol("fill")
def fill(dims: Any, value: Any, name: str | None = None) -> torch.Tensor:
    """Return a tensor of a shape, filled with one value."""
    return as_tensor(value).reshape(()).expand(sizes(dims)).clone()


@symbol("zeros")
def zeros(shape: Any, dtype: Any = "float32", name: str | None = None) -> torch.Tensor:
    """Return a tensor of zeros."""
    return torch.zeros(sizes(shape), dtype=torch_dtype(dtype), device=device())


@symbol("ones")
def ones(shape: Any, dtype: Any = "float32", name: str | None = None) -> torch.Tensor:
    """Return a tensor of ones."""
    return torch.ones(sizes(shape), dtype=torch_dtype(dtype), device=device())


@symbol("zeros_like")
def zeros_like(tensor: Any, dtype: Any = None, name: str | None = None, optimize: bool = True) -> torch.Tensor:
    """Return zeros in the shape of another tensor."""
    return torch.zeros_like(as_tensor(tensor), dtype=None if dtype is None else torch_dtype(dtype))


@symbol("ones_like")
def ones_like(tensor: Any, dtype: Any = None, name: str | None = None, optimize: bool = True) -> torch.Tensor:
    """Return ones in the shape of another tensor."""
    return torch.ones_like(as_tensor(tensor), dtype=None if dtype is None else torch_dtype(dtype))


@symbol("eye", "linalg.eye")
def eye(
    num_rows: Any, num_columns: Any = None, batch_shape: Any = None, dtype: Any = "float32", name: str | None = None
) -> torch.Tensor:
    """Return the identity matrix, repeated for a batch."""
    rows = sizes(num_rows)[0]
    columns = rows if num_columns is None else sizes(num_columns)[0]
    matrix = torch.eye(rows, columns, dtype=torch_dtype(dtype), device=device())
    return matrix if batch_shape is None else matrix.expand(*sizes(batch_shape), rows, columns).clone()


@symbol("range")
def tf_range(start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None, name: str = "range") -> torch.Tensor:
    """Return numbers from ``start`` (0 when only one is given) up to, without, ``limit``."""
    first, last = (0, start) if limit is None else (start, limit)
    bounds = [_plain(one) for one in (first, last, delta)]
    if dtype is None:
        dtype = next((one.dtype for one in (start, limit, delta) if isinstance(one, torch.Tensor)), None)
        if dtype is None:
            wide = any(isinstance(one, np.ndarray | np.generic) and one.dtype == np.int64 for one in (start, limit))
            dtype = "float32" if any(isinstance(one, float) for one in bounds) else "int64" if wide else "int32"
    return torch.arange(*bounds, dtype=torch_dtype(dtype), device=device())


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, torch.Tensor | np.ndarray | np.generic) else value


@symbol("linspace", "lin_space", "math.linspace")
def linspace(start: Any, stop: Any, num: Any, name: str | None = None, axis: int = 0) -> torch.Tensor:
    """Return ``num`` numbers at equal distances, both ends included."""
    first = as_tensor(start)
    return torch.linspace(_plain(start), _plain(stop), sizes(num)[0], dtype=first.dtype, device=device())


@symbol("meshgrid")
def meshgrid(*args: Any, indexing: str = "xy", name: str | None = None) -> list[torch.Tensor]:
    """Return coordinate grids; with ``xy`` the first two axes are exchanged, as in numpy."""
    return list(torch.meshgrid(*tensors(*args), indexing=indexing))


@symbol("one_hot")
def one_hot(
    indices: Any,
    depth: Any,
    on_value: Any = None,
    off_value: Any = None,
    axis: Any = None,
    dtype: Any = None,
    name: str | None = None,
) -> torch.Tensor:
    """Return codes with one value at the place of the index; an index out of range gets none.

    Args:
        indices: whole numbers.
        depth: length of the new axis.
        on_value: at the place of the index; 1.
        off_value: elsewhere; 0.
        axis: where the new axis is put; the last.
        dtype: of the result; that of the values, float32 if none is given.
        name: ignored.

    Raises:
        ClaraError: the indices are no whole numbers, as in TensorFlow.
    """
    labels = as_tensor(indices)
    if labels.is_floating_point() or labels.dtype == torch.bool:
        raise refusal("tf.one_hot takes whole numbers: use tf.cast(indices, tf.int32)")
    count, at = sizes(depth)[0], axis_of(given(axis, -1), labels.ndim + 1, "tf.one_hot")
    places = torch.arange(count, dtype=labels.dtype, device=labels.device)
    hot = labels.unsqueeze(at) == places.reshape([count if one == at else 1 for one in range(labels.ndim + 1)])
    if dtype is None:
        value = given(on_value, off_value)
        wanted = torch.float32 if value is None else as_tensor(value).dtype
    else:
        wanted = torch_dtype(dtype)
    if on_value is None and off_value is None:
        return hot.to(wanted)
    on, off = (as_tensor(given(value, other), wanted, hot) for value, other in ((on_value, 1), (off_value, 0)))
    return torch.where(hot, on, off)


@symbol("shape")
def shape(input: Any, name: str | None = None, out_type: Any = "int32") -> np.ndarray:
    """Return the sizes of a tensor as numpy's whole numbers: they are known, and never lie on an accelerator.

    A size that torch.export leaves free (the number of images) stays free; the array then holds objects.
    """
    found = list(input.shape if isinstance(input, torch.Tensor) else np.shape(input))
    if any(isinstance(one, torch.SymInt) for one in found):
        return np.array(found, object)
    return np.array([int(one) for one in found], np.int64 if torch_dtype(out_type) == torch.int64 else np.int32)


@symbol("shape_n")
def shape_n(input: Any, out_type: Any = "int32", name: str | None = None) -> list[np.ndarray]:
    """Return the sizes of each tensor of a list."""
    return [shape(one, out_type=out_type) for one in input]


@symbol("size")
def size(input: Any, name: str | None = None, out_type: Any = "int32") -> Any:
    """Return how many values a tensor has, as numpy's whole number."""
    return np.prod(
        shape(input, out_type=out_type), dtype=np.int64 if torch_dtype(out_type) == torch.int64 else np.int32
    )


@symbol("rank")
def rank(input: Any, name: str | None = None) -> Any:
    """Return how many axes a tensor has, as numpy's whole number."""
    return np.int32(len(shape(input)))


@symbol("is_tensor", "contrib.framework.is_tensor", "keras.backend.is_tensor")
def is_tensor(x: Any) -> bool:
    """Whether a value is a tensor; sizes count as one."""
    return isinstance(x, torch.Tensor) or is_static(x)
