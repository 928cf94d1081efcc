"""Normalise what is not background."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.config import DtypeLike, KeysCollection
from monai.transforms import MapTransform
from monai.utils import get_equivalent_dtype

from clara_compat.engine import properties
from clara_compat.engine.tensors import plain

__all__ = ["NormalizeNonzeroIntensityd"]


class NormalizeNonzeroIntensityd(MapTransform):
    """Give the voxels of each channel that are not 0 a mean of 0 and a standard deviation of 1; the others stay 0.

    The standard deviation is the population's; where it is 0 only the mean is taken away. A channel without a voxel
    other than 0 stays as it is. MONAI's ``NormalizeIntensityd(nonzero=True, channel_wise=True)`` has the same
    mathematics, but writes into the tensor it is given, which a cache may hold.

    Source: clara-3.1-transforms facts, section 4.4.

    Args:
        keys: fields with channel-first tensors (C, spatial...).
        dtype: data type of the result, None for the image's.
        allow_missing_keys: leave out fields an item does not have.
    """

    def __init__(self, keys: KeysCollection, dtype: DtypeLike = "float32", allow_missing_keys: bool = False) -> None:
        super().__init__(keys, allow_missing_keys)
        self.dtype = None if dtype is None else get_equivalent_dtype(dtype, torch.Tensor)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the item with its images normalised."""
        d = dict(data)
        for key in self.key_iterator(d):
            image = d[key]
            voxels = plain(image)
            exact = torch.float64 if voxels.dtype == torch.float64 else torch.float32
            out = torch.empty_like(voxels, dtype=exact)
            for target, channel in zip(out, voxels, strict=True):
                _normalize(channel.to(exact), target)
            d[key] = properties.carry(out.to(self.dtype or voxels.dtype), image)
        return d


def _normalize(channel: torch.Tensor, out: torch.Tensor) -> None:
    """Write the normalised channel into ``out``."""
    background = channel == 0
    values = channel[~background]
    if not values.numel():
        out.zero_()
        return
    deviation, mean = torch.std_mean(values, correction=0)
    torch.sub(channel, mean, out=out)
    out.div_(deviation if deviation > 0 else 1.0).masked_fill_(background, 0.0)
