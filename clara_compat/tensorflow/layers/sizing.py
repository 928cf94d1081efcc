"""Keras's layers that change spatial sizes without weights: upsampling, padding, cropping."""

from __future__ import annotations

import operator
from typing import Any

import torch
from torch.nn import functional as F

from clara_compat.tensorflow.layers.arguments import is_channels_first, tuple_of
from clara_compat.tensorflow.layers.base import Layer
from clara_compat.tensorflow.layers.spec import InputSpec
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import symbol

__all__ = ["UpSampling1D", "UpSampling2D", "UpSampling3D", "pairs_of"]


def pairs_of(value: Any, rank: int, what: str) -> tuple[tuple[int, int], ...]:
    """Return two numbers for each axis, from one, one for each axis, or two for each.

    Raises:
        ClaraError: it is none of these.
    """
    given = [value] * rank if hasattr(value, "__index__") else list(value)
    if rank == 1 and len(given) == 2 and all(hasattr(one, "__index__") for one in given):
        given = [given]  # of one axis: the two sides
    found: list[tuple[int, int]] = []
    for one in given:
        sides = [one, one] if hasattr(one, "__index__") else list(one)
        if len(sides) == 2:
            found.append((operator.index(sides[0]), operator.index(sides[1])))
    if len(found) != rank:
        raise refusal(f"{what} is {value!r}, expected one number, {rank}, or {rank} pairs")
    return tuple(found)


class _Spatial(Layer):
    rank: int

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.channels_first = self.rank > 1 and is_channels_first(data_format)
        self.data_format = "channels_first" if self.channels_first else "channels_last"
        self.input_spec = InputSpec(ndim=self.rank + 2)


class _UpSampling(_Spatial):
    """Every value several times.

    Args:
        size: one number, or one for each axis.
        data_format: None: what ``K.image_data_format()`` says.
        interpolation: of two axes ``nearest`` or ``bilinear``.
        **kwargs: what every layer takes.
    """

    def __init__(
        self, size: Any = 2, data_format: str | None = None, interpolation: str = "nearest", **kwargs: Any
    ) -> None:
        super().__init__(data_format, **kwargs)
        self.size = tuple_of(size, self.rank, "size")
        self.interpolation = interpolation
        known = ("nearest", "bilinear") if self.rank == 2 else ("nearest",)
        if interpolation not in known:
            raise refusal(
                f"interpolation of layer '{self.name}' is '{interpolation}', expected {' or '.join(map(repr, known))}"
            )

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the larger tensor."""
        first = inputs if self.channels_first else inputs.movedim(-1, 1)
        sizes = [size * factor for size, factor in zip(first.shape[2:], self.size, strict=True)]
        corners = False if self.interpolation == "bilinear" else None
        found = F.interpolate(first, size=sizes, mode=self.interpolation, align_corners=corners)
        return found if self.channels_first else found.movedim(1, -1)


@symbol("keras.layers.UpSampling1D")
class UpSampling1D(_UpSampling):
    """Every step ``size`` times."""

    rank = 1

    def __init__(self, size: int = 2, **kwargs: Any) -> None:
        super().__init__(size, **kwargs)


@symbol("keras.layers.UpSampling2D", note="Bilinear upsampling takes the centres of pixels, as TensorFlow 2 does.")
class UpSampling2D(_UpSampling):
    """Every row and column ``size`` times, or interpolated between."""

    rank = 2


@symbol("keras.layers.UpSampling3D")
class UpSampling3D(_UpSampling):
    """Every voxel ``size`` times along each axis."""

    rank = 3

    def __init__(self, size: Any = 2, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(size, data_format, **kwargs)


class _ZeroPadding(_Spatial):
    """Zeros around.

    Args:
        padding: one number, one for each axis, or two for each axis.
        data_format: None: what ``K.image_data_format()`` says.
        **kwargs: what every layer takes.
    """

    def __init__(self, padding: Any = 1, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)
        self.padding = pairs_of(padding, self.rank, "padding")

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the larger tensor."""
        around = [side for pair in reversed(self.padding) for side in pair]
        return F.pad(inputs, around if self.channels_first else [0, 0, *around])


@symbol("keras.layers.ZeroPadding1D")
class ZeroPadding1D(_ZeroPadding):
    """Zeros before and behind."""

    rank = 1


@symbol("keras.layers.ZeroPadding2D")
class ZeroPadding2D(_ZeroPadding):
    """Zeros around two axes."""

    rank = 2


@symbol("keras.layers.ZeroPadding3D")
class ZeroPadding3D(_ZeroPadding):
    """Zeros around three axes."""

    rank = 3


class _Cropping(_Spatial):
    """Less at both sides.

    Args:
        cropping: one number, one for each axis, or two for each axis.
        data_format: None: what ``K.image_data_format()`` says.
        **kwargs: what every layer takes.
    """

    def __init__(self, cropping: Any = 1, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)
        self.cropping = pairs_of(cropping, self.rank, "cropping")

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the smaller tensor."""
        start = 2 if self.channels_first else 1
        for axis, (before, behind) in enumerate(self.cropping, start):
            size = inputs.shape[axis] - before - behind
            if size <= 0:
                raise refusal(
                    f"layer '{self.name}' crops {self.cropping} from the shape {list(inputs.shape)}: nothing is left"
                )
            inputs = inputs.narrow(axis, before, size)
        return inputs


@symbol("keras.layers.Cropping1D")
class Cropping1D(_Cropping):
    """Fewer steps."""

    rank = 1


@symbol("keras.layers.Cropping2D")
class Cropping2D(_Cropping):
    """Fewer rows and columns."""

    rank = 2

    def __init__(self, cropping: Any = 0, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(cropping, data_format, **kwargs)


@symbol("keras.layers.Cropping3D")
class Cropping3D(_Cropping):
    """Fewer voxels along each axis."""

    rank = 3
