"""Rotate 2-D images about their centre."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform, RandomizableTransform
from monai.utils import ensure_tuple_rep, get_equivalent_dtype
from scipy.special import cosdg, sindg

from clara_compat.engine import properties
from clara_compat.engine.tensors import plain
from clara_compat.engine.transforms._fields import file_of
from clara_compat.engine.transforms.region import moved_affine
from clara_compat.engine.transforms.warp import place_matrix
from clara_compat.errors import ClaraError

__all__ = ["RandRotate2Dd", "Rotate2Dd"]

_MODES = ("bilinear", "nearest")


class Rotate2Dd(MapTransform):
    """Rotate 2-D images about their centre; the size stays and what comes from outside is 0.

    A positive angle turns as ``numpy.rot90`` and ``scipy.ndimage.rotate`` do: counter-clockwise when the first axis
    is displayed downwards and the second to the right. Angles are in voxels of the array: an image with anisotropic
    voxels is sheared in space, and its affine says so. Multiples of 90 degrees move voxels of a square image without
    changing them (MONAI's ``Rotated``, whose angle has the other sign and is in radians, leaves traces of the
    neighbours: about 1e-11 of their values).

    Args:
        keys: fields with channel-first tensors (C, H, W).
        degrees: the angle.
        mode: ``bilinear`` or ``nearest`` (halves upwards); one for all fields or one per field.
        dtype: data type of the result; interpolated values are rounded when it is a whole-number type.
        allow_missing_keys: leave out fields an item does not have.

    Raises:
        ClaraError: the angle is not finite, a mode is unknown, or an image is not 2-D.
    """

    def __init__(
        self,
        keys: KeysCollection,
        degrees: float,
        mode: Sequence[str] | str = "bilinear",
        dtype: Any = "float32",
        allow_missing_keys: bool = False,
    ) -> None:
        MapTransform.__init__(self, keys, allow_missing_keys)
        self.degrees = float(degrees)
        self.mode = ensure_tuple_rep(mode, len(self.keys))
        self.dtype = get_equivalent_dtype(dtype, torch.Tensor)
        if not np.isfinite(self.degrees):
            raise ClaraError(f"an angle must be a finite number of degrees, got {degrees}")
        if unknown := set(self.mode) - set(_MODES):
            raise ClaraError(f"unknown interpolation {sorted(unknown)}, expected one of {', '.join(_MODES)}")

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the item with its images rotated."""
        return self._rotated(data, self.degrees)

    def _rotated(self, data: Mapping[Hashable, Any], degrees: float) -> dict[Hashable, Any]:
        d = dict(data)
        for key, mode in self.key_iterator(d, self.mode):
            image = d[key]
            if image.ndim != 3:
                raise ClaraError(
                    f"field '{key}' has {image.ndim - 1} spatial axes, but only 2-D images can be rotated here "
                    f"({file_of(image)})"
                )
            place = _place(degrees, tuple(image.shape[1:]))
            turned = _sample(plain(image), place, mode)
            if turned.is_floating_point() and not self.dtype.is_floating_point:
                turned = turned.round()
            d[key] = properties.carry(turned.to(self.dtype), image, moved_affine(image, place))
        return d


class RandRotate2Dd(RandomizableTransform, Rotate2Dd):
    """Rotate 2-D images by one random angle of ``U(-degrees, degrees)`` for all fields.

    Args:
        keys: fields with channel-first tensors (C, H, W).
        degrees: largest angle.
        mode: as for :class:`Rotate2Dd`.
        dtype: as for :class:`Rotate2Dd`.
        allow_missing_keys: leave out fields an item does not have.
    """

    def __init__(
        self,
        keys: KeysCollection,
        degrees: float,
        mode: Sequence[str] | str = "bilinear",
        dtype: Any = "float32",
        allow_missing_keys: bool = False,
    ) -> None:
        Rotate2Dd.__init__(self, keys, abs(degrees), mode, dtype, allow_missing_keys)
        RandomizableTransform.__init__(self, prob=1.0)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the item with its images rotated."""
        return self._rotated(data, float(self.R.uniform(-self.degrees, self.degrees)))


def _place(degrees: float, size: tuple[int, int]) -> np.ndarray[Any, Any]:
    """Return the matrix (3, 3) from the voxel indices of the result to the image's."""
    cos, sin = float(cosdg(degrees)), float(sindg(degrees))  # exactly 0 and 1 at multiples of 90
    turn = np.array([[cos, sin], [-sin, cos]])
    return place_matrix(turn, [(n - 1) / 2 for n in size], size)


def _sample(image: torch.Tensor, place: np.ndarray[Any, Any], mode: str) -> torch.Tensor:
    """Return ``image`` (C, H, W) at the places of a grid of its own size; outside is 0."""
    height, width = image.shape[1:]
    rows = torch.arange(height, dtype=torch.float64, device=image.device)[:, None]
    columns = torch.arange(width, dtype=torch.float64, device=image.device)[None, :]
    places = [a * rows + b * columns + c for a, b, c in place[:2].tolist()]
    if mode == "bilinear" and image.dtype != torch.float64:
        image = image.to(torch.float32)
    padded = torch.nn.functional.pad(image, (1, 1, 1, 1))
    if mode == "nearest":
        row, column = (
            (at + 0.5).floor_().clamp_(-1, n).long() + 1 for at, n in zip(places, (height, width), strict=True)
        )
        return padded[:, row, column]
    lows, weights = [], []
    for at, n in zip(places, (height, width), strict=True):
        inside = at.clamp(-1, n)
        low = inside.floor().clamp_(max=n - 1)
        lows.append(low.long() + 1)
        weights.append((inside - low).to(padded.dtype))
    row, column = lows
    upper = torch.lerp(padded[:, row, column], padded[:, row, column + 1], weights[1])
    lower = torch.lerp(padded[:, row + 1, column], padded[:, row + 1, column + 1], weights[1])
    return torch.lerp(upper, lower, weights[0])
