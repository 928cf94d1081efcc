"""Keras's pooling layers."""

from __future__ import annotations

from typing import Any

import torch

from clara_compat.tensorflow.convolution import average_pool, max_pool
from clara_compat.tensorflow.layers.arguments import is_channels_first, tuple_of
from clara_compat.tensorflow.layers.base import Layer
from clara_compat.tensorflow.layers.spec import InputSpec
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import symbol

__all__ = [
    "AveragePooling1D",
    "AveragePooling2D",
    "AveragePooling3D",
    "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D",
]


class _Pooling(Layer):
    """One value for each window.

    Args:
        pool_size: one number, or one for each axis.
        strides: None: those of the windows.
        padding: ``valid`` or ``same``.
        data_format: None: what ``K.image_data_format()`` says.
        **kwargs: what every layer takes.
    """

    rank: int
    largest: bool

    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.pool_size = tuple_of(pool_size, self.rank, "pool_size")
        self.strides = self.pool_size if strides is None else tuple_of(strides, self.rank, "strides")
        self.padding = str(padding).lower()
        self.channels_first = is_channels_first(data_format)
        self.data_format = "channels_first" if self.channels_first else "channels_last"
        self.input_spec = InputSpec(ndim=self.rank + 2)
        if self.padding not in ("valid", "same"):
            raise refusal(f"padding of layer '{self.name}' is '{padding}', expected 'valid' or 'same'")

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the pooled tensor."""
        pool = max_pool if self.largest else average_pool
        return pool(inputs, self.pool_size, self.strides, self.padding, channels_first=self.channels_first)


@symbol("keras.layers.MaxPooling1D", "keras.layers.MaxPool1D")
class MaxPooling1D(_Pooling):
    """The largest value of each window of one axis."""

    rank, largest = 1, True


@symbol("keras.layers.MaxPooling2D", "keras.layers.MaxPool2D")
class MaxPooling2D(_Pooling):
    """The largest value of each window of two axes."""

    rank, largest = 2, True


@symbol("keras.layers.MaxPooling3D", "keras.layers.MaxPool3D")
class MaxPooling3D(_Pooling):
    """The largest value of each window of three axes."""

    rank, largest = 3, True


@symbol("keras.layers.AveragePooling1D", "keras.layers.AvgPool1D")
class AveragePooling1D(_Pooling):
    """The mean of each window of one axis, over the values that exist."""

    rank, largest = 1, False


@symbol("keras.layers.AveragePooling2D", "keras.layers.AvgPool2D")
class AveragePooling2D(_Pooling):
    """The mean of each window of two axes, over the values that exist."""

    rank, largest = 2, False


@symbol("keras.layers.AveragePooling3D", "keras.layers.AvgPool3D")
class AveragePooling3D(_Pooling):
    """The mean of each window of three axes, over the values that exist."""

    rank, largest = 3, False


class _Global(Layer):
    """One value for each channel.

    Args:
        data_format: None: what ``K.image_data_format()`` says.
        **kwargs: what every layer takes.
    """

    rank: int
    largest: bool

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.channels_first = is_channels_first(data_format)
        self.data_format = "channels_first" if self.channels_first else "channels_last"
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the pooled tensor, (N, C)."""
        start = 2 if self.channels_first else 1
        axes = list(range(start, start + self.rank))
        return inputs.amax(axes) if self.largest else inputs.mean(axes)


@symbol("keras.layers.GlobalMaxPooling1D", "keras.layers.GlobalMaxPool1D")
class GlobalMaxPooling1D(_Global):
    """The largest value of each channel."""

    rank, largest = 1, True


@symbol("keras.layers.GlobalMaxPooling2D", "keras.layers.GlobalMaxPool2D")
class GlobalMaxPooling2D(_Global):
    """The largest value of each channel."""

    rank, largest = 2, True


@symbol("keras.layers.GlobalMaxPooling3D", "keras.layers.GlobalMaxPool3D")
class GlobalMaxPooling3D(_Global):
    """The largest value of each channel."""

    rank, largest = 3, True


@symbol("keras.layers.GlobalAveragePooling1D", "keras.layers.GlobalAvgPool1D")
class GlobalAveragePooling1D(_Global):
    """The mean of each channel."""

    rank, largest = 1, False


@symbol("keras.layers.GlobalAveragePooling2D", "keras.layers.GlobalAvgPool2D")
class GlobalAveragePooling2D(_Global):
    """The mean of each channel."""

    rank, largest = 2, False


@symbol("keras.layers.GlobalAveragePooling3D", "keras.layers.GlobalAvgPool3D")
class GlobalAveragePooling3D(_Global):
    """The mean of each channel."""

    rank, largest = 3, False
