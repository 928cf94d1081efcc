"""Keras's layers that add noise in training, from torch's default generator."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch

from clara_compat.tensorflow.layers.arguments import is_channels_first, is_true
from clara_compat.tensorflow.layers.base import Layer
from clara_compat.tensorflow.layers.spec import InputSpec
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import symbol
from clara_compat.tensorflow.shapes import sizes

__all__ = ["AlphaDropout", "Dropout", "GaussianDropout", "GaussianNoise", "SpatialDropout", "dropped"]


def dropped(inputs: torch.Tensor, rate: float, noise_shape: Sequence[int | None] | None = None) -> torch.Tensor:
    """Return the tensor with some values 0 and the others so much larger that the mean stays.

    Args:
        inputs: any tensor.
        rate: how many become 0, from 0 to below 1.
        noise_shape: where it is 1, values along the axis share their fate; None stands for the tensor's size.
    """
    shape = list(inputs.shape)
    if noise_shape is not None:
        shape = [have if size is None else int(size) for have, size in zip(shape, noise_shape, strict=True)]
    kept = torch.rand(shape, device=inputs.device) >= rate
    return inputs * (kept / (1.0 - rate)).to(inputs.dtype)


def _rate(layer: Layer, rate: Any) -> float:
    if not 0 <= rate < 1:
        raise refusal(f"layer '{layer.name}' has the rate {rate}, expected at least 0 and less than 1")
    return float(rate)


@symbol("keras.layers.Dropout")
class Dropout(Layer):
    """Drops values in training.

    Args:
        rate: how many.
        noise_shape: see :func:`dropped`.
        seed: not used: the run's seed makes it repeatable.
        **kwargs: what every layer takes.
    """

    def __init__(self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = _rate(self, rate)
        self.noise_shape = noise_shape
        self.seed = seed

    def _noise_shape(self, inputs: torch.Tensor) -> Sequence[int | None] | None:
        given = self.noise_shape
        if given is None:
            return None
        return list(given) if isinstance(given, list | tuple) else sizes(given)

    def call(self, inputs: torch.Tensor, training: Any = None) -> torch.Tensor:
        """Return the tensor, in training with values dropped."""
        if not self.rate or not is_true(training):
            return inputs
        return dropped(inputs, self.rate, self._noise_shape(inputs))


class SpatialDropout(Dropout):
    """Drops whole channels in training.

    Args:
        rate: how many.
        data_format: None: what ``K.image_data_format()`` says.
        **kwargs: what every layer takes.
    """

    rank: int

    def __init__(self, rate: float, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(rate, **kwargs)
        self.channels_first = self.rank > 1 and is_channels_first(data_format)
        self.data_format = "channels_first" if self.channels_first else "channels_last"
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def _noise_shape(self, inputs: torch.Tensor) -> Sequence[int | None] | None:
        ones = [1] * self.rank
        return [None, None, *ones] if self.channels_first else [None, *ones, None]


@symbol("keras.layers.SpatialDropout1D")
class SpatialDropout1D(SpatialDropout):
    """Drops whole channels of one axis."""

    rank = 1


@symbol("keras.layers.SpatialDropout2D")
class SpatialDropout2D(SpatialDropout):
    """Drops whole channels of two axes."""

    rank = 2


@symbol("keras.layers.SpatialDropout3D")
class SpatialDropout3D(SpatialDropout):
    """Drops whole channels of three axes."""

    rank = 3


@symbol("keras.layers.GaussianNoise")
class GaussianNoise(Layer):
    """Adds noise in training.

    Args:
        stddev: of it.
        **kwargs: what every layer takes.
    """

    def __init__(self, stddev: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stddev = stddev

    def call(self, inputs: torch.Tensor, training: Any = None) -> torch.Tensor:
        """Return the tensor, in training with noise."""
        return inputs + torch.randn_like(inputs) * self.stddev if is_true(training) else inputs


@symbol("keras.layers.GaussianDropout")
class GaussianDropout(Layer):
    """Multiplies with noise around 1 in training, of the variance that dropout has.

    Args:
        rate: of that dropout.
        **kwargs: what every layer takes.
    """

    def __init__(self, rate: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = _rate(self, rate)

    def call(self, inputs: torch.Tensor, training: Any = None) -> torch.Tensor:
        """Return the tensor, in training with noise."""
        if not self.rate or not is_true(training):
            return inputs
        return inputs * (1.0 + torch.randn_like(inputs) * math.sqrt(self.rate / (1.0 - self.rate)))


@symbol("keras.layers.AlphaDropout")
class AlphaDropout(Layer):
    """Drops values in training to what keeps mean and variance behind SELU.

    Args:
        rate: how many.
        noise_shape: see :func:`dropped`.
        seed: not used: the run's seed makes it repeatable.
        **kwargs: what every layer takes.
    """

    def __init__(self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = _rate(self, rate)
        self.noise_shape = noise_shape

    def call(self, inputs: torch.Tensor, training: Any = None) -> torch.Tensor:
        """Return the tensor, in training with values dropped."""
        if not self.rate or not is_true(training):
            return inputs
        low = -1.6732632423543772 * 1.0507009873554805  # SELU's value far below zero
        shape = inputs.shape if self.noise_shape is None else torch.Size(sizes(self.noise_shape))
        kept = torch.rand(shape, device=inputs.device) >= self.rate
        scale = ((1.0 - self.rate) * (1.0 + self.rate * low**2)) ** -0.5
        return torch.where(kept, inputs, low) * scale - scale * low * self.rate
