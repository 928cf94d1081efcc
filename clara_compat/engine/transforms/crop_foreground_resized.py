"""Crop to what a label marks and resize to a fixed size."""

from __future__ import annotations

import logging
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data.utils import to_affine_nd
from monai.transforms import MapTransform
from monai.transforms.utils import scale_affine
from monai.utils import ensure_tuple

from clara_compat.engine import properties
from clara_compat.engine.transforms._fields import file_of, foreground, plain
from clara_compat.engine.transforms.region import box_size, check_axes, check_same_size, moved_affine
from clara_compat.engine.transforms.resample import resize
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
        low, high = self._box(d[self.label_key])
        for key in keys:
            d[key] = self._resized(d[key], low, high, key == self.label_key)
        return d

    def _box(self, label: torch.Tensor) -> tuple[list[int], list[int]]:
        """Return the first voxel of the box and the one after its last."""
        shape = tuple(label.shape[1:])
        mask = foreground(plain(label))
        low, high = [], []
        for axis, n in enumerate(shape):
            others = [other for other in range(len(shape)) if other != axis]
            marked = mask.any(dim=others).nonzero()
            if not len(marked):
                self._say_empty(file_of(label))
                return [0] * len(shape), list(shape)
            low.append(max(int(marked[0]) - self.margin, 0))
            high.append(min(int(marked[-1]) + 1 + self.margin, n))
        return low, high

    def _say_empty(self, file: str) -> None:
        if file not in self._empty:
            self._empty.add(file)
            _logger.warning("field '%s' has no foreground: the whole image is taken (%s)", self.label_key, file)

    def _resized(self, image: torch.Tensor, low: list[int], high: list[int], is_label: bool) -> torch.Tensor:
        size = [b - a for a, b in zip(low, high, strict=True)]
        where = slice(None), *(slice(a, b) for a, b in zip(low, high, strict=True))
        box = plain(image)[where]
        piece = resize(box, self.spatial_size, "nearest-exact" if is_label else "linear")
        if piece.untyped_storage().data_ptr() == box.untyped_storage().data_ptr():
            piece = piece.clone(memory_format=torch.contiguous_format)
        place = to_affine_nd(len(size), scale_affine(tuple(size), self.spatial_size))
        place[:-1, -1] += np.asarray(low)
        return properties.carry(piece, image, moved_affine(image, place))
