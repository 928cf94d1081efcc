"""Set an image to zero outside a mask."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform

from clara_compat.engine import properties
from clara_compat.engine.tensors import plain
from clara_compat.engine.transforms._fields import file_of
from clara_compat.errors import ClaraError

__all__ = ["MaskImaged"]


class MaskImaged(MapTransform):
    """Set the voxels of images to 0 where the mask is not above 0; the data type stays.

    MONAI's ``MaskIntensityd`` multiplies: outside the mask, infinite values and NaN would become NaN.

    Args:
        keys: fields with channel-first tensors (C, spatial...).
        mask_key: field with the mask, of one channel or of one per channel of the image.
        allow_missing_keys: leave out fields an item does not have.

    Raises:
        ClaraError: the mask does not fit an image.
    """

    def __init__(self, keys: KeysCollection, mask_key: str, allow_missing_keys: bool = False) -> None:
        super().__init__(keys, allow_missing_keys)
        self.mask_key = mask_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the item with its images masked."""
        d = dict(data)
        inside = plain(d[self.mask_key]) > 0
        for key in self.key_iterator(d):
            voxels = plain(d[key])
            if len(inside) not in (1, len(voxels)) or inside.shape[1:] != voxels.shape[1:]:
                raise ClaraError(
                    f"field '{self.mask_key}' has the shape {tuple(inside.shape)} and field '{key}' "
                    f"{tuple(voxels.shape)}: expected a mask of the image's size, of one channel or of one per channel "
                    f"of the image ({file_of(d[self.mask_key])}, {file_of(d[key])})"
                )
            d[key] = properties.carry(torch.where(inside.to(voxels.device), voxels, voxels.new_zeros(())), d[key])
        return d
