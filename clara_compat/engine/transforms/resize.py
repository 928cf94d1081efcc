"""Resize images over their extent: by a factor, to a size, or to the size they were loaded with."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform
from monai.transforms.utils import scale_affine
from monai.utils import ensure_tuple_rep

from clara_compat.common.constants import ImageProperty
from clara_compat.common.resampling import scaled_size
from clara_compat.common.shape_format import ShapeFormat
from clara_compat.engine import properties
from clara_compat.engine.tensors import plain
from clara_compat.engine.transforms.region import moved_affine
from clara_compat.engine.transforms.resample import resize
from clara_compat.errors import ClaraError

__all__ = ["ResizeByFactord", "ResizeImaged", "ResizeToOriginalShaped", "ResizeToShaped", "resized"]

_MODES = ("linear", "nearest-exact")


class ResizeImaged(MapTransform):
    """The base of transforms that give images another number of voxels; which one, :meth:`new_size` says.

    Old and new grid cover the same extent (half-pixel centres, border voxels continue; see
    :func:`~clara_compat.engine.transforms.resample.resize`), and the affine is scaled about it: a place in the scan
    keeps its RAS mm. ``original_affine`` and ``original_shape`` stay. An image that has the size and the type already
    is returned as it is.

    Args:
        keys: fields with channel-first tensors (C, H, W) or (C, D, H, W); the channels stay.
        mode: ``linear`` for images (the result is float32, or float64 when the image is), ``nearest-exact`` for labels
            (the data type stays); one for all fields or one per field.
        allow_missing_keys: leave out fields an item does not have.

    Raises:
        ClaraError: the mode is none of these.
    """

    def __init__(
        self, keys: KeysCollection, mode: Sequence[str] | str = "linear", allow_missing_keys: bool = False
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.mode = ensure_tuple_rep(mode, len(self.keys))
        if unknown := set(self.mode) - set(_MODES):
            raise ClaraError(f"unknown interpolation {sorted(unknown)}, expected one of {', '.join(_MODES)}")

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the item with its images resized."""
        d = dict(data)
        for key, mode in self.key_iterator(d, self.mode):
            d[key] = resized(d[key], self.new_size(d, key), mode)
        return d

    def new_size(self, item: Mapping[Hashable, Any], key: Hashable) -> tuple[int, ...]:
        """Return the new spatial size, in voxels, of the image under ``key``.

        Args:
            item: the item.
            key: name of the image.

        Raises:
            ClaraError: the image cannot be resized.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say which size an image gets")


class ResizeByFactord(ResizeImaged):
    """Resize images to ``round_half_even(size * factor)`` voxels per axis, at least 1.

    Source: clara-3.1-transforms facts, sections 4.3 and 10.

    Args:
        keys: see :class:`ResizeImaged`.
        factor: one for all spatial axes, or one per axis.
        mode: see :class:`ResizeImaged`.
        allow_missing_keys: leave out fields an item does not have.

    Raises:
        ClaraError: a factor is not positive, or their number does not fit the image.
    """

    def __init__(
        self,
        keys: KeysCollection,
        factor: Sequence[float] | float,
        mode: Sequence[str] | str = "linear",
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, mode, allow_missing_keys)
        self.factor = float(factor) if isinstance(factor, (int, float)) else tuple(float(one) for one in factor)
        if not all(np.isfinite(one) and one > 0 for one in np.atleast_1d(self.factor)):
            raise ClaraError(f"a factor must be a positive number, got {factor}")

    def new_size(self, item: Mapping[Hashable, Any], key: Hashable) -> tuple[int, ...]:
        """Return the size times the factor."""
        size = tuple(item[key].shape[1:])
        factors = (self.factor,) * len(size) if isinstance(self.factor, float) else self.factor
        if len(factors) != len(size):
            raise ClaraError(f"there are {len(factors)} factors, but field '{key}' has {len(size)} spatial axes")
        return scaled_size(size, factors)


class ResizeToShaped(ResizeImaged):
    """Resize images to ``spatial_size``.

    MONAI's ``Resized`` does the same by ``torch.nn.functional.interpolate``, which is up to 1e-5 of the range off.

    Args:
        keys: see :class:`ResizeImaged`.
        spatial_size: voxels per spatial axis.
        mode: see :class:`ResizeImaged`.
        allow_missing_keys: leave out fields an item does not have.

    Raises:
        ClaraError: a number is not positive, or their number does not fit the image.
    """

    def __init__(
        self,
        keys: KeysCollection,
        spatial_size: Sequence[int],
        mode: Sequence[str] | str = "linear",
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, mode, allow_missing_keys)
        self.spatial_size = tuple(int(n) for n in spatial_size)
        if not all(n > 0 for n in self.spatial_size):
            raise ClaraError(f"a size must be positive numbers of voxels, got {list(spatial_size)}")

    def new_size(self, item: Mapping[Hashable, Any], key: Hashable) -> tuple[int, ...]:
        """Return the size that was asked for."""
        rank = item[key].ndim - 1
        if len(self.spatial_size) != rank:
            raise ClaraError(
                f"the size {list(self.spatial_size)} has {len(self.spatial_size)} numbers, but field '{key}' has "
                f"{rank} spatial axes"
            )
        return self.spatial_size


class ResizeToOriginalShaped(ResizeImaged):
    """Resize images to the spatial size with which the image under ``source_key`` was loaded.

    That size is its property ``original_shape``, whose spatial axes ``original_shape_format`` tells. This is a resize
    and nothing else: crops and pads in between are not undone, unlike by ``Invertd``. Source: clara-3.1-transforms
    facts, section 4.3.

    Args:
        keys: see :class:`ResizeImaged`.
        source_key: field with the image that knows its original shape.
        mode: see :class:`ResizeImaged`.
        allow_missing_keys: leave out fields of ``keys`` an item does not have.

    Raises:
        ClaraError: the original shape is not known, or has another number of spatial axes.
    """

    def __init__(
        self,
        keys: KeysCollection,
        source_key: str,
        mode: Sequence[str] | str = "linear",
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, mode, allow_missing_keys)
        self.source_key = source_key

    def new_size(self, item: Mapping[Hashable, Any], key: Hashable) -> tuple[int, ...]:
        """Return the source's original size."""
        if self.source_key not in item:
            raise ClaraError(f"field '{self.source_key}', whose original shape is needed, is not there")
        known = properties.read(item[self.source_key])
        shape = known.get(ImageProperty.ORIGINAL_SHAPE)
        if shape is None:
            raise ClaraError(
                f"field '{self.source_key}' has no property 'original_shape': name a field that a loader such as "
                "LoadNifti loaded, or set the property in your own loader"
            )
        size, layout = tuple(int(n) for n in shape), known.get(ImageProperty.ORIGINAL_SHAPE_FORMAT)
        if layout is not None:
            first, last = ShapeFormat(layout).get_spatial_axis()
            size = size[first : last + 1]
        rank = item[key].ndim - 1
        if len(size) != rank:
            fix = f" ({layout})" if layout else ": set its property 'original_shape_format' in the loader as well"
            raise ClaraError(
                f"field '{key}' has {rank} spatial axes, but '{self.source_key}' has the original shape "
                f"{list(shape)}{fix}"
            )
        return size


def resized(image: torch.Tensor, spatial_size: Sequence[int], mode: Any) -> torch.Tensor:
    """Return the image with ``spatial_size`` voxels over its extent, its affine and properties with it.

    Args:
        image: tensor (C, H, W) or (C, D, H, W).
        spatial_size: voxels per spatial axis.
        mode: see :class:`ResizeImaged`.
    """
    old, new = tuple(image.shape[1:]), tuple(spatial_size)
    if old == new and (mode != "linear" or image.dtype in (torch.float32, torch.float64)):
        return image
    return properties.carry(resize(plain(image), new, mode), image, moved_affine(image, scale_affine(old, new)))
