"""Crop images to a fixed size, padding those that are smaller."""

from __future__ import annotations

import logging
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform, RandomizableTransform

from clara_compat.engine.transforms._fields import file_of
from clara_compat.engine.transforms.region import box_size, check_axes, check_same_size, cut_box

__all__ = ["CenterCropOrPadd", "RandCropOrPadd"]

_logger = logging.getLogger(__name__)


class CenterCropOrPadd(MapTransform):
    """Crop each image about its centre to ``spatial_size``; where it is smaller, pad it with zeros on both sides.

    An axis of n voxels is cut from voxel ``n // 2 - size // 2`` on; of voxels to add, half go in front (the smaller
    half of an odd number). These are the numbers of MONAI's ``ResizeWithPadOrCropd``; unlike there the result never
    shares memory with the whole scan, and padding is said: a warning, once per instance (so once per worker).

    Args:
        keys: fields with channel-first tensors (C, spatial...).
        spatial_size: 2 or 3 numbers of voxels.
        allow_missing_keys: leave out fields an item does not have.

    Raises:
        ClaraError: ``spatial_size`` is not positive, or does not fit an image's number of axes.
    """

    def __init__(self, keys: KeysCollection, spatial_size: Sequence[int], allow_missing_keys: bool = False) -> None:
        MapTransform.__init__(self, keys, allow_missing_keys)
        self.spatial_size = box_size(spatial_size)
        self._warned = False

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the item with its images cropped or padded."""
        d = dict(data)
        for key in self.key_iterator(d):
            self._check(d[key], key)
            start = [self._centred(n, size) for n, size in zip(d[key].shape[1:], self.spatial_size, strict=True)]
            d[key] = cut_box(d[key], start, self.spatial_size)
        return d

    @staticmethod
    def _centred(n: int, size: int) -> int:
        return n // 2 - size // 2 if n >= size else -((size - n) // 2)

    def _check(self, image: torch.Tensor, key: Hashable) -> None:
        check_axes(self.spatial_size, image, key)
        found = tuple(image.shape[1:])
        if not self._warned and any(n < size for n, size in zip(found, self.spatial_size, strict=True)):
            self._warned = True
            _logger.warning(
                "field '%s' has %s voxels, fewer than the crop of %s: it is padded with zeros (%s); this is said once",
                *(key, list(found), list(self.spatial_size), file_of(image)),
            )


class RandCropOrPadd(RandomizableTransform, CenterCropOrPadd):
    """Cut a box of ``spatial_size`` at a random place, the same of all fields, every place inside equally likely.

    An axis that has fewer voxels than the box is padded with zeros on both sides, and that is said, as
    :class:`CenterCropOrPadd` does it; MONAI's ``RandSpatialCropd`` would give a smaller box.

    Args:
        keys: fields with channel-first tensors (C, spatial...) of one spatial shape.
        spatial_size: 2 or 3 numbers of voxels.
        allow_missing_keys: leave out fields an item does not have.

    Raises:
        ClaraError: ``spatial_size`` is not positive, does not fit an image's number of axes, or the fields differ in
            shape.
    """

    def __init__(self, keys: KeysCollection, spatial_size: Sequence[int], allow_missing_keys: bool = False) -> None:
        CenterCropOrPadd.__init__(self, keys, spatial_size, allow_missing_keys)
        RandomizableTransform.__init__(self, prob=1.0)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the item with the box of each image."""
        d = dict(data)
        keys = list(self.key_iterator(d))
        if not keys:
            return d
        for key in keys:
            self._check(d[key], key)
        check_same_size(d, keys)
        start = [
            int(self.R.randint(n - size + 1)) if n > size else self._centred(n, size)
            for n, size in zip(d[keys[0]].shape[1:], self.spatial_size, strict=True)
        ]
        for key in keys:
            d[key] = cut_box(d[key], start, self.spatial_size)
        return d
