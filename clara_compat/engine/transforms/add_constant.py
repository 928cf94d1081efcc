"""Add one random constant to an image."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform, RandomizableTransform
from monai.utils import get_equivalent_dtype

from clara_compat.engine import properties
from clara_compat.engine.tensors import plain

__all__ = ["RandAddConstantd"]


class RandAddConstantd(RandomizableTransform, MapTransform):
    """Cast images to ``dtype`` and then add a constant of ``U(-magnitude, magnitude)`` to all voxels of an image.

    Every field is decided on and drawn for by itself. MONAI's ``RandShiftIntensityd`` draws once for all fields, and
    casts the result back to the image's own type: whole numbers would be shifted by whole numbers, or wrap around.
    Where ``dtype`` itself is a whole-number type, the sum is rounded and kept within its range.

    Args:
        keys: fields with channel-first tensors (C, spatial...).
        magnitude: half width of the range.
        prob: probability of changing a field; the cast is made in any case.
        dtype: data type of the results.
        allow_missing_keys: leave out fields an item does not have.
    """

    def __init__(
        self,
        keys: KeysCollection,
        magnitude: float,
        prob: float = 1.0,
        dtype: Any = "float32",
        allow_missing_keys: bool = False,
    ) -> None:
        MapTransform.__init__(self, keys, allow_missing_keys)
        RandomizableTransform.__init__(self, prob)
        self.magnitude = float(magnitude)
        self.dtype = get_equivalent_dtype(np.dtype(dtype), torch.Tensor)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the item with its images shifted."""
        d = dict(data)
        for key in self.key_iterator(d):
            self.randomize(None)
            offset = self.R.uniform(-self.magnitude, self.magnitude)
            voxels = plain(d[key])
            if self._do_transform:
                d[key] = properties.carry(_shifted(voxels.to(self.dtype), offset), d[key])
            elif voxels.dtype != self.dtype:
                d[key] = properties.carry(voxels.to(self.dtype), d[key])
        return d


def _shifted(voxels: torch.Tensor, offset: float) -> torch.Tensor:
    """Return the voxels with ``offset`` added, in their own data type."""
    if voxels.is_floating_point() or voxels.dtype == torch.bool:
        return (voxels + offset).to(voxels.dtype)
    limits, wide = torch.iinfo(voxels.dtype), torch.iinfo(torch.int64)
    shifted = voxels.to(torch.int64) + round(offset)  # of whole numbers: as if the sum were rounded
    return shifted.clamp(limits.min, min(limits.max, wide.max)).to(voxels.dtype)
