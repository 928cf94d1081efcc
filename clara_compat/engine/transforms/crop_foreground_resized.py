"""Crop to what a label marks and resize to a fixed size."""

from __future__ import annotations

import logging
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform
from monai.transforms.utils import generate_spatial_bounding_box
from monai.utils import ensure_tuple

from clara_compat.engine.tensors import plain
from clara_compat.engine.transforms._fields import file_of, foreground
from clara_compat.engine.transforms.region import box_size, check_axes, check_same_size, cut_box
from clara_compat.engine.transforms.resize import resized
from clara_compat.errors import ClaraError

__all__ = ["CropForegroundResized"]

_logger = logging.getLogger(__name__)


class CropForegroundResized(MapTransform):
    """Crop images to the bounding box of a label's foreground, then resize the box to ``spatial_size``.

    The box holds all voxels where the label is above 0 in any channel (of a one-hot label, whose channels sum to 1, in
    any but the first), grown by ``margin`` and clipped to the image.
    Images are resized linearly (float32, or float64 when they are), the label by its nearest voxel; the extent stays,
    so the affine is scaled about the box. A label without foreground gives the whole image, and a warning once per
    file. MONAI's ``CropForegroundd`` and ``Resized`` in a row would give an image without voxels then, and an error.

    Args:
        keys: fields with channel-first tensors (C, spatial...) of the label's spatial shape.
        label_key: field with the label; it is cropped and resized too.
        spatial_size: 2 or 3 numbers of voxels.
        margin: voxels on each side, at least 0.
        allow_missing_keys: leave out images an item does not have.

    Raises:
        ClaraError: an argument is out of its range or does not fit the image; the fields differ in shape.
    """

    def __init__(
        self,
        keys: KeysCollection,
        label_key: Hashable,
        spatial_size: Sequence[int],
        margin: int = 0,
        allow_missing_keys: bool = False,
    ) -> None:
        MapTransform.__init__(self, list(dict.fromkeys([*ensure_tuple(keys), label_key])), allow_missing_keys)
        self.label_key = label_key
        self.spatial_size = box_size(spatial_size)
        self.margin = margin
        self._empty: set[str] = set()
        if margin < 0:
            raise ClaraError(f"the margin around the foreground must be at least 0 voxels, got {margin}")

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the item with images and label cropped and resized."""
        d = dict(data)
        keys = list(self.key_iterator(d))
        check_same_size(d, keys)
        check_axes(self.spatial_size, d[self.label_key], self.label_key)
        low, size = self._box(d[self.label_key])
        for key in keys:
            mode = "nearest-exact" if key == self.label_key else "linear"
            d[key] = resized(cut_box(d[key], low, size), self.spatial_size, mode)
        return d

    def _box(self, label: torch.Tensor) -> tuple[list[int], list[int]]:
        """Return the first voxel of the box and its size."""
        mask = foreground(plain(label))[None]
        low, high = generate_spatial_bounding_box(mask, lambda marked: marked, margin=self.margin, allow_smaller=True)
        if not any(high):
            self._say_empty(file_of(label))
            return [0] * len(low), list(label.shape[1:])
        return low, [b - a for a, b in zip(low, high, strict=True)]

    def _say_empty(self, file: str) -> None:
        if file not in self._empty:
            self._empty.add(file)
            _logger.warning("field '%s' has no foreground: the whole image is taken (%s)", self.label_key, file)
