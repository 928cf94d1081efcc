"""What initializers have in common: how they are called, their types, and where their random numbers come from."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from clara_compat.tensorflow.dtypes import as_dtype, torch_dtype
from clara_compat.tensorflow.identifiers import Configured
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import symbol
from clara_compat.tensorflow.shapes import sizes

__all__ = ["Initializer", "Random", "fans", "normal", "truncated_normal", "uniform"]


@symbol("keras.initializers.Initializer")
class Initializer(Configured):
    """Makes the first value of a variable.

    Args:
        dtype: the type of the value, where the call names none.
    """

    def __init__(self, dtype: Any = "float32") -> None:
        self.dtype = torch_dtype(dtype)

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None, **ignored: Any) -> torch.Tensor:
        """Return a value.

        Args:
            shape: in TensorFlow's layout: kernels are (spatial..., in, out).
            dtype: its type; None: the initializer's.
            partition_info: without meaning here: variables are whole.
            **ignored: what later versions pass (``verify_shape``, ``layout``).
        """
        return self.make(sizes(shape), self.dtype if dtype is None else torch_dtype(dtype))

    def make(self, shape: list[int], dtype: torch.dtype) -> torch.Tensor:
        """Return a value of a shape and a type; a user's subclass may override the call itself instead."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""
        config = dict(vars(self))
        return {**config, "dtype": as_dtype(config["dtype"]).name} if "dtype" in config else config


class Random(Initializer):
    """An initializer that draws.

    Args:
        seed: None: go on with torch's default generator; a number: draw the same values in every call.
        dtype: the type of the value, where the call names none.

    Raises:
        ClaraError: the type is not a floating point type.
    """

    def __init__(self, seed: int | None = None, dtype: Any = "float32") -> None:
        super().__init__(dtype)
        self.seed = seed

    def drawn(self, shape: list[int], dtype: torch.dtype, draw: Callable[..., torch.Tensor]) -> torch.Tensor:
        """Fill a new tensor by ``draw(tensor, generator=...)``, in single precision for the 16-bit types.

        Raises:
            ClaraError: the type is not a floating point type.
        """
        if not dtype.is_floating_point:
            raise refusal(f"{type(self).__name__} draws floating point values, here {as_dtype(dtype).name} is wanted")
        wide = torch.float32 if dtype.itemsize < torch.float32.itemsize else dtype
        return draw(torch.empty(shape, dtype=wide), generator=self.generator()).to(dtype)

    def generator(self) -> torch.Generator | None:
        """Return the source of random numbers; None stands for torch's default one."""
        return None if self.seed is None else torch.Generator().manual_seed(int(self.seed))


def normal(mean: float, stddev: float) -> Callable[..., torch.Tensor]:
    """Return what fills a tensor with a normal distribution."""
    return lambda tensor, generator: tensor.normal_(generator=generator).mul_(stddev).add_(mean)


def truncated_normal(mean: float, stddev: float) -> Callable[..., torch.Tensor]:
    """Return what fills a tensor with a normal distribution that is cut off two ``stddev`` from the mean."""

    def draw(tensor: torch.Tensor, generator: torch.Generator | None) -> torch.Tensor:
        return nn.init.trunc_normal_(tensor, generator=generator).mul_(stddev).add_(mean)

    return draw


def uniform(low: float, high: float) -> Callable[..., torch.Tensor]:
    """Return what fills a tensor with a uniform distribution over [low, high)."""
    return lambda tensor, generator: tensor.uniform_(low, high, generator=generator)


def fans(shape: list[int]) -> tuple[int, int]:
    """Return how many inputs and outputs a weight joins, by TensorFlow's reading of its shape.

    Args:
        shape: a kernel's (spatial..., in, out), a matrix (in, out); the one size of a vector is both.
    """
    if len(shape) < 2:
        only = math.prod(shape)
        return only, only
    field = math.prod(shape[:-2])
    return shape[-2] * field, shape[-1] * field
