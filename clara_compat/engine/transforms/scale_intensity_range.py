"""Linear scaling of intensities in as few passes as torch allows."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.config import DtypeLike, KeysCollection
from monai.transforms import MapTransform
from monai.utils import get_equivalent_dtype

from clara_compat.engine import properties
from clara_compat.engine.tensors import plain

__all__ = ["ScaleIntensityRanged"]


class ScaleIntensityRanged(MapTransform):
    """Scale intensities so that ``a_min`` becomes ``b_min`` and ``a_max`` becomes ``b_max``, as MONAI's class does.

    ``(x - a_min) / (a_max - a_min) * (b_max - b_min) + b_min``. MONAI's makes a new volume for each of these steps;
    here there is one, and the steps work in it: with a float32 volume of 402 x 402 x 240 voxels it was measured to take
    0.28 of the time, 1.4 times that of a bare ``x + 1`` (benchmarks/scale_intensity_range.py).

    The calculation is in float64 when the image or the result is, in float32 otherwise.

    Args:
        keys: fields with tensors of any shape and data type.
        a_min: intensity that becomes ``b_min``.
        a_max: intensity that becomes ``b_max``.
        b_min: see ``a_min``.
        b_max: see ``a_max``.
        clip: limit the result to ``b_min..b_max``, whichever is the larger.
        dtype: data type of the result (whole numbers are cut, not rounded), None for the image's.
        allow_missing_keys: leave out fields an item does not have.

    Raises:
        ValueError: ``a_min`` equals ``a_max``.
    """

    def __init__(
        self,
        keys: KeysCollection,
        a_min: float,
        a_max: float,
        b_min: float,
        b_max: float,
        clip: bool = False,
        dtype: DtypeLike = "float32",
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        if a_min == a_max:
            raise ValueError(f"a_min and a_max are both {a_min}, expected two different intensities")
        self.a_min = a_min
        self.scale = (b_max - b_min) / (a_max - a_min)
        self.b_min = b_min
        self.limits = (min(b_min, b_max), max(b_min, b_max)) if clip else None
        self.dtype = None if dtype is None else get_equivalent_dtype(dtype, torch.Tensor)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the item with its images scaled."""
        d = dict(data)
        for key in self.key_iterator(d):
            d[key] = self._scaled(d[key])
        return d

    def _scaled(self, image: torch.Tensor) -> torch.Tensor:
        voxels = plain(image)
        dtype = self.dtype or voxels.dtype
        exact = torch.float64 if torch.float64 in (voxels.dtype, dtype) else torch.float32
        out = voxels.sub(self.a_min) if voxels.dtype == exact else voxels.to(exact).sub_(self.a_min)
        out.mul_(self.scale)
        if self.b_min:
            out.add_(self.b_min)
        if self.limits is not None:
            out.clamp_(*self.limits)
        return properties.carry(out.to(dtype), image)
