"""Initializers that say their values themselves: constants, distributions with given limits, orthogonal matrices."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import nn

from clara_compat.tensorflow.initializers.base import Initializer, Random, normal, truncated_normal, uniform
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import symbol

__all__ = ["Constant", "Identity", "Ones", "Orthogonal", "RandomNormal", "RandomUniform", "TruncatedNormal", "Zeros"]


@symbol("zeros_initializer", "initializers.zeros", "keras.initializers.Zeros", "keras.initializers.zeros")
class Zeros(Initializer):
    """All 0."""

    def make(self, shape: list[int], dtype: torch.dtype) -> torch.Tensor:
        """Return zeros."""
        return torch.zeros(shape, dtype=dtype)


@symbol("ones_initializer", "initializers.ones", "keras.initializers.Ones", "keras.initializers.ones")
class Ones(Initializer):
    """All 1."""

    def make(self, shape: list[int], dtype: torch.dtype) -> torch.Tensor:
        """Return ones."""
        return torch.ones(shape, dtype=dtype)


@symbol("constant_initializer", "initializers.constant", "keras.initializers.Constant", "keras.initializers.constant")
class Constant(Initializer):
    """The given values.

    Args:
        value: a number, or values in the order of the shape; the last one is repeated when there are too few.
        dtype: the type of the value, where the call names none.
        verify_shape: refuse values of another shape than the variable's.
    """

    def __init__(self, value: Any = 0, dtype: Any = "float32", verify_shape: bool = False) -> None:
        super().__init__(dtype)
        self.value = value
        self.verify_shape = verify_shape

    def make(self, shape: list[int], dtype: torch.dtype) -> torch.Tensor:
        """Return the values.

        Raises:
            ClaraError: there are more than the shape has room for, or they must have the shape and have not.
        """
        given = np.asarray(self.value)
        size = math.prod(shape)
        if given.size > size or (self.verify_shape and list(given.shape) != shape):
            raise refusal(f"the values of a constant have the shape {list(given.shape)}, the variable has {shape}")
        flat = given.ravel()
        if flat.size < size:
            flat = np.concatenate([flat, np.repeat(flat[-1:], size - flat.size)])
        return torch.from_numpy(flat.reshape(shape).copy()).to(dtype)


@symbol("random_uniform_initializer", "initializers.random_uniform")
class RandomUniform(Random):
    """Uniform over [minval, maxval).

    Args:
        minval: the least value.
        maxval: the limit; None: 1 for floating point types.
        seed: see :class:`~clara_compat.tensorflow.initializers.base.Random`.
        dtype: the type of the value, where the call names none; integers are drawn as integers.
    """

    def __init__(
        self, minval: float = 0.0, maxval: float | None = None, seed: int | None = None, dtype: Any = "float32"
    ) -> None:
        super().__init__(seed, dtype)
        self.minval = minval
        self.maxval = maxval

    def make(self, shape: list[int], dtype: torch.dtype) -> torch.Tensor:
        """Return drawn values.

        Raises:
            ClaraError: integers are wanted and there is no ``maxval``.
        """
        if dtype.is_floating_point:
            return self.drawn(shape, dtype, uniform(self.minval, 1.0 if self.maxval is None else self.maxval))
        if self.maxval is None:
            raise refusal("tf.random_uniform_initializer needs maxval for integers")
        return torch.randint(int(self.minval), int(self.maxval), shape, generator=self.generator(), dtype=dtype)


@symbol("random_normal_initializer", "initializers.random_normal")
class RandomNormal(Random):
    """Normal.

    Args:
        mean: of the distribution.
        stddev: of the distribution.
        seed: see :class:`~clara_compat.tensorflow.initializers.base.Random`.
        dtype: the type of the value, where the call names none.
    """

    def __init__(self, mean: float = 0.0, stddev: float = 1.0, seed: int | None = None, dtype: Any = "float32") -> None:
        super().__init__(seed, dtype)
        self.mean = mean
        self.stddev = stddev

    def make(self, shape: list[int], dtype: torch.dtype) -> torch.Tensor:
        """Return drawn values."""
        return self.drawn(shape, dtype, normal(self.mean, self.stddev))


@symbol("truncated_normal_initializer", "initializers.truncated_normal")
class TruncatedNormal(RandomNormal):
    """Normal, with what lies further than two ``stddev`` from the mean drawn again: its own deviation is smaller."""

    def make(self, shape: list[int], dtype: torch.dtype) -> torch.Tensor:
        """Return drawn values."""
        return self.drawn(shape, dtype, truncated_normal(self.mean, self.stddev))


@symbol(
    "orthogonal_initializer",
    "initializers.orthogonal",
    "keras.initializers.Orthogonal",
    "keras.initializers.orthogonal",
)
class Orthogonal(Random):
    """A matrix (all axes but the last, last axis) with orthonormal rows or columns, whichever are fewer.

    Args:
        gain: factor.
        seed: see :class:`~clara_compat.tensorflow.initializers.base.Random`.
        dtype: the type of the value, where the call names none.
    """

    def __init__(self, gain: float = 1.0, seed: int | None = None, dtype: Any = "float32") -> None:
        super().__init__(seed, dtype)
        self.gain = gain

    def make(self, shape: list[int], dtype: torch.dtype) -> torch.Tensor:
        """Return a drawn matrix.

        Raises:
            ClaraError: the shape has fewer than two axes.
        """
        if len(shape) < 2:
            raise refusal(f"an orthogonal initializer needs two axes or more, here the shape is {shape}")
        matrix = [math.prod(shape[:-1]), shape[-1]]
        drawn = self.drawn(matrix, dtype, lambda tensor, generator: nn.init.orthogonal_(tensor, self.gain, generator))
        return drawn.reshape(shape)


@symbol("initializers.identity", "keras.initializers.Identity", "keras.initializers.identity")
class Identity(Initializer):
    """The identity matrix; of a matrix that is not square its upper left part.

    Args:
        gain: factor.
        dtype: the type of the value, where the call names none.
    """

    def __init__(self, gain: float = 1.0, dtype: Any = "float32") -> None:
        super().__init__(dtype)
        self.gain = gain

    def make(self, shape: list[int], dtype: torch.dtype) -> torch.Tensor:
        """Return the matrix.

        Raises:
            ClaraError: the shape has not two axes.
        """
        if len(shape) != 2:
            raise refusal(f"an identity initializer needs two axes, here the shape is {shape}")
        return torch.eye(*shape, dtype=dtype) * self.gain
