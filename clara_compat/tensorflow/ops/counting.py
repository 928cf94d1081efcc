"""How often values occur."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch

from clara_compat.tensorflow.convert import as_tensor
from clara_compat.tensorflow.dtypes import torch_dtype
from clara_compat.tensorflow.registry import symbol
from clara_compat.tensorflow.shapes import sizes

__all__: list[str] = []


class Unique(NamedTuple):
    """The distinct values in the order they come, and which of them each value is."""

    y: torch.Tensor
    idx: torch.Tensor


class Counted(NamedTuple):
    """The distinct values in the order they come, which of them each value is, and how often each occurs."""

    y: torch.Tensor
    idx: torch.Tensor
    count: torch.Tensor  # type: ignore[assignment]  # TensorFlow's name hides tuple's method


@symbol("unique_with_counts")
def unique_with_counts(x: Any, out_idx: Any = "int32", name: str | None = None) -> Counted:
    """Return the distinct values of a tensor of one axis in the order they come, and how often each occurs."""
    tensor = as_tensor(x)
    values, where, counts = torch.unique(tensor, return_inverse=True, return_counts=True)
    first = torch.full((values.numel(),), tensor.numel(), dtype=torch.int64, device=tensor.device)
    places = torch.arange(tensor.numel(), device=tensor.device)
    order = torch.argsort(first.scatter_reduce(0, where, places, "amin"))
    dtype = torch_dtype(out_idx)
    return Counted(values[order], torch.argsort(order)[where].to(dtype), counts[order].to(dtype))


@symbol("unique")
def unique(x: Any, out_idx: Any = "int32", name: str | None = None) -> Unique:
    """Return the distinct values of a tensor of one axis, in the order they come."""
    return Unique(*unique_with_counts(x, out_idx)[:2])


@symbol("bincount", "math.bincount")
def bincount(
    arr: Any,
    weights: Any = None,
    minlength: Any = None,
    maxlength: Any = None,
    dtype: Any = "int32",
    name: str | None = None,
) -> torch.Tensor:
    """Return how often each whole number from 0 on occurs, or the sum of the weights where it does.

    Args:
        arr: whole numbers, of any shape.
        weights: of the same shape.
        minlength: of the result; there are as many counts as the largest number asks for.
        maxlength: larger numbers are left out.
        dtype: of counts without weights.
        name: ignored.
    """
    numbers = as_tensor(arr).reshape(-1).long()
    least = 0 if minlength is None else sizes(minlength)[0]
    most = None if maxlength is None else sizes(maxlength)[0]
    if most is not None and least >= most:  # whatever the numbers are
        length = most
    else:
        length = max(least, int(numbers.max()) + 1 if numbers.numel() else 0)
        length = length if most is None else min(length, most)
    values = torch.ones_like(numbers) if weights is None else as_tensor(weights).reshape(-1)
    values = torch.where(numbers < length, values, torch.zeros_like(values))
    counts = torch.zeros(length, dtype=values.dtype, device=values.device)
    counts = counts.index_add(0, numbers.clamp(max=max(length - 1, 0)), values) if length else counts
    return counts if weights is not None else counts.to(torch_dtype(dtype))


@symbol("histogram_fixed_width")
def histogram_fixed_width(
    values: Any, value_range: Any, nbins: Any = 100, dtype: Any = "int32", name: str | None = None
) -> torch.Tensor:
    """Return how many values lie in each of equal parts of a range; those outside count in the first and last."""
    found = as_tensor(values).reshape(-1)
    low, high = as_tensor(value_range, like=found).to(found.dtype)
    parts = sizes(nbins)[0]
    numbers = torch.floor((found - low) / (high - low) * parts).clamp(0, parts - 1)
    return bincount(numbers, minlength=parts, maxlength=parts, dtype=dtype)
