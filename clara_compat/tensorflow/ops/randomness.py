"""Random tensors, drawn from torch's generator, which the workflow seeds."""

from __future__ import annotations

import math
from typing import Any

import torch

from clara_compat.tensorflow.convert import as_tensor
from clara_compat.tensorflow.dtypes import torch_dtype
from clara_compat.tensorflow.ops.creating import device
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import register, symbol
from clara_compat.tensorflow.shapes import sizes

__all__ = ["random_normal", "random_uniform", "truncated_normal"]

_NOTE = "Draws from torch's generator, other numbers than TensorFlow's; an operation's own seed is ignored."


@symbol("random_normal", "random.normal", note=_NOTE)
def random_normal(
    shape: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = "float32",
    seed: Any = None,
    name: str | None = None,
) -> torch.Tensor:
    """Return normally distributed numbers."""
    return torch.randn(sizes(shape), dtype=torch_dtype(dtype), device=device()) * stddev + mean


@symbol("truncated_normal", "random.truncated_normal", note=_NOTE)
def truncated_normal(
    shape: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = "float32",
    seed: Any = None,
    name: str | None = None,
) -> torch.Tensor:
    """Return normally distributed numbers, those beyond two standard deviations drawn anew."""
    edge = math.erf(math.sqrt(2.0))
    drawn = torch.rand(sizes(shape), dtype=torch.float64, device=device()) * (2 * edge) - edge
    return (torch.erfinv(drawn) * math.sqrt(2.0)).clamp(-2, 2).to(torch_dtype(dtype)) * stddev + mean


@symbol("random_uniform", "random.uniform", note=_NOTE)
def random_uniform(
    shape: Any,
    minval: Any = 0,
    maxval: Any = None,
    dtype: Any = "float32",
    seed: Any = None,
    name: str | None = None,
) -> torch.Tensor:
    """Return numbers of equal likelihood from ``minval`` up to, without, ``maxval``.

    Raises:
        ClaraError: whole numbers are asked for without ``maxval``.
    """
    wanted = torch_dtype(dtype)
    if not wanted.is_floating_point:
        if maxval is None:
            raise refusal("tf.random_uniform needs maxval for whole numbers")
        return torch.randint(int(minval), int(maxval), sizes(shape), dtype=wanted, device=device())
    top = 1.0 if maxval is None else maxval
    return torch.rand(sizes(shape), dtype=wanted, device=device()) * (top - minval) + minval


@symbol("random_shuffle", "random.shuffle", note=_NOTE)
def random_shuffle(value: Any, seed: Any = None, name: str | None = None) -> torch.Tensor:
    """Return the items of the first axis in another order."""
    tensor = as_tensor(value)
    return tensor[torch.randperm(tensor.shape[0], device=tensor.device)]


@symbol("multinomial", "random.multinomial", "random.categorical", note=_NOTE)
def categorical(
    logits: Any,
    num_samples: Any,
    seed: Any = None,
    name: str | None = None,
    output_dtype: Any = None,
    dtype: Any = None,
) -> torch.Tensor:
    """Return draws of classes, (N, samples), from logits (N, classes)."""
    wanted = torch_dtype(dtype or output_dtype or "int64")
    return torch.multinomial(as_tensor(logits).float().softmax(-1), sizes(num_samples)[0], True).to(wanted)


def _seed(seed: Any = None) -> None:
    """Ignore a seed: the workflow's ``determinism`` sets all of them."""


register(
    _seed,
    "set_random_seed",
    "random.set_random_seed",
    "random.set_seed",
    note="Ignored: the configuration's determinism seeds everything.",
)
