"""Cut regions around foreground or background voxels, straight or warped."""

from __future__ import annotations

import logging
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform, RandomizableTransform
from monai.transforms.utils import create_rotate
from monai.utils import ensure_tuple

from clara_compat.engine import properties
from clara_compat.engine.tensors import plain
from clara_compat.engine.transforms._fields import file_of, foreground, is_one_hot
from clara_compat.engine.transforms.region import box_size, check_axes, check_same_size, cut_box, moved_affine
from clara_compat.engine.transforms.warp import (
    place_matrix,
    region_coordinates,
    sample_region,
    smooth_displacement,
)
from clara_compat.errors import ClaraError

__all__ = ["RandCropPosNegROId"]

_logger = logging.getLogger(__name__)

_PROBES = (256, 4096, 65536)
"""Voxels looked at, round by round, before the whole label is searched."""


class RandCropPosNegROId(RandomizableTransform, MapTransform):
    """Cut regions of ``spatial_size`` out of images and their label, the same ones from all of them.

    A region's centre (its voxel ``spatial_size // 2``) is a foreground voxel with probability ``pos / (pos + neg)`` and
    a background voxel otherwise, uniform over these; then the region is shifted inside the image. A label without
    foreground gives background and the other way round. Foreground is where the label is above 0 in any channel; the
    first channel of a one-hot label, whose channels sum to 1 at every voxel that is looked at, is background.

    With any of the three options a region is sampled through a warp from the whole image, so what enters at its
    border is the region's own surroundings; beyond the image the border voxels continue. Images are interpolated
    linearly, the label by nearest neighbour. In voxels of the array, about the region's centre:

    - rotation about every axis of the array by an angle of ``U(-rotate_degrees, rotate_degrees)`` each;
    - one factor ``U(1 - scale_factor, 1 + scale_factor)`` for all axes: above 1 the region shows more of the scan;
    - a displacement per voxel, Gaussian with standard deviation ``U(*deform_magnitude)`` voxels, smooth over
      ``U(*deform_sigma)`` voxels (see :func:`~clara_compat.engine.transforms.warp.smooth_displacement`).

    The affine follows shift, rotation and scale; no affine can follow the displacement.

    The label is probed at random before it is searched, and searched at most once for all regions of a call: on a
    whole scan this is many times faster than MONAI's ``RandCropByPosNegLabeld``, which lists every voxel of it.

    Source: clara-3.1-transforms facts, sections 4.8 and 10. Clara's laws of the warp are not documented; these follow
    the spatial augmentation of batchgenerators (MIC-DKFZ), after whose helpers Clara's were named: its displacement
    (alpha 0..1000, sigma 10..13) has in 3-D a standard deviation of 0 to 2.3 voxels.

    Args:
        image_keys: fields with images, (C, spatial...); linear interpolation.
        label_key: field with the label, of the images' spatial shape; nearest neighbour. Always cut too.
        spatial_size: 2 or 3 numbers of voxels.
        pos: weight of foreground; not below 0.
        neg: weight of background; not below 0, and not 0 when ``pos`` is.
        num_samples: None for one item with one region; a number for a list of so many items, each with a region of its
            own draws; what is not cut is shared by them, not copied.
        rotate_degrees: None or 0 for no rotation.
        scale_factor: below 1; None or 0 for none.
        deform: whether to displace.
        deform_sigma: range of the smoothness, voxels.
        deform_magnitude: range of the standard deviation of the displacement, voxels.
        allow_missing_keys: leave out images an item does not have.

    Raises:
        ClaraError: an argument is out of its range; the region is larger than the image; label and images differ in
            shape.
    """

    def __init__(
        self,
        image_keys: KeysCollection,
        label_key: Hashable,
        spatial_size: Sequence[int],
        pos: float = 1.0,
        neg: float = 1.0,
        num_samples: int | None = None,
        rotate_degrees: float | None = None,
        scale_factor: float | None = None,
        deform: bool = False,
        deform_sigma: tuple[float, float] = (10.0, 13.0),
        deform_magnitude: tuple[float, float] = (0.0, 2.3),
        allow_missing_keys: bool = False,
    ) -> None:
        MapTransform.__init__(self, list(dict.fromkeys([*ensure_tuple(image_keys), label_key])), allow_missing_keys)
        RandomizableTransform.__init__(self, prob=1.0)
        self.label_key = label_key
        self.spatial_size = box_size(spatial_size)
        self.num_samples = num_samples
        self.rotate_degrees = float(rotate_degrees or 0.0)
        self.scale_factor = float(scale_factor or 0.0)
        self.deform = deform
        self.deform_sigma = deform_sigma
        self.deform_magnitude = deform_magnitude
        if min(pos, neg) < 0 or pos + neg <= 0:
            raise ClaraError(f"pos and neg must not be below 0, nor both 0, got {pos} and {neg}")
        if not 0 <= self.scale_factor < 1:
            raise ClaraError(f"scale_factor must be at least 0 and below 1, got {scale_factor}")
        if num_samples is not None and num_samples < 1:
            raise ClaraError(f"the number of crops must be at least 1, got {num_samples}")
        self.foreground_probability = pos / (pos + neg)
        self._warned = False

    def __call__(self, data: Mapping[Hashable, Any]) -> Any:
        """Return the item with images and label cut, or with ``num_samples`` a list of such items."""
        keys = list(self.key_iterator(dict(data)))
        self._check(data, keys)
        voxels = _Voxels(plain(data[self.label_key]), self.R)
        items = [self._cut(data, keys, voxels) for _ in range(self.num_samples or 1)]
        return items[0] if self.num_samples is None else items

    def _cut(self, data: Mapping[Hashable, Any], keys: Sequence[Hashable], voxels: _Voxels) -> dict[Hashable, Any]:
        d = dict(data)
        start = self._draw_start(voxels, file_of(d[self.label_key]))
        warp = self._draw_warp(start)
        for key in keys:
            if warp is None:
                d[key] = cut_box(d[key], start, self.spatial_size)
                continue
            place, coordinates = warp
            mode: Any = "nearest" if key == self.label_key else "bilinear"
            piece = sample_region(plain(d[key]), coordinates, mode)
            d[key] = properties.carry(piece, d[key], moved_affine(d[key], place))
        return d

    def _check(self, data: Mapping[Hashable, Any], keys: Sequence[Hashable]) -> None:
        check_same_size(data, keys)
        image = data[keys[0]]
        check_axes(self.spatial_size, image, keys[0])
        size = tuple(image.shape[1:])
        if any(crop > n for crop, n in zip(self.spatial_size, size, strict=True)):
            raise ClaraError(
                f"a crop of {list(self.spatial_size)} voxels is larger than the image, which has {list(size)} at this "
                f"point ({file_of(image)}): make 'size' smaller or resample to smaller voxels"
            )

    def _draw_start(self, voxels: _Voxels, file: str) -> tuple[int, ...]:
        wanted = bool(self.R.random_sample() < self.foreground_probability)
        voxel, found = voxels.draw(wanted)
        if found != wanted and not self._warned:
            self._warned = True
            names = ("background", "foreground")
            _logger.warning("the label has no %s, crops are centred on %s (%s)", names[wanted], names[found], file)
        return tuple(
            min(max(at - size // 2, 0), n - size)
            for at, size, n in zip(voxel, self.spatial_size, voxels.shape, strict=True)
        )

    def _draw_warp(self, start: tuple[int, ...]) -> tuple[Any, Any] | None:
        """Return the region's placement matrix and its voxels' coordinates in the image, or None without a warp."""
        if not (self.rotate_degrees or self.scale_factor or self.deform):
            return None
        size, rank = self.spatial_size, len(self.spatial_size)
        matrix = np.eye(rank)
        if self.rotate_degrees:
            limit = np.deg2rad(self.rotate_degrees)
            angles = self.R.uniform(-limit, limit, 1 if rank == 2 else 3).tolist()
            matrix = np.asarray(create_rotate(rank, angles))[:rank, :rank]
        if self.scale_factor:
            matrix = matrix * self.R.uniform(1 - self.scale_factor, 1 + self.scale_factor)
        displacement = None
        if self.deform:
            sigma, magnitude = self.R.uniform(*self.deform_sigma), self.R.uniform(*self.deform_magnitude)
            displacement = smooth_displacement(size, sigma, magnitude, self.R)
        centre = [at + (n - 1) / 2 for at, n in zip(start, size, strict=True)]
        place = place_matrix(matrix, centre, size)
        return place, region_coordinates(place, size, displacement)


class _Voxels:
    """The foreground and background voxels of one label (C, spatial...), drawn uniformly.

    The label is probed at random before it is searched; what a search counted is kept for the next draws. It is
    one-hot as long as no voxel that was looked at says otherwise.
    """

    def __init__(self, label: torch.Tensor, random: np.random.RandomState) -> None:
        self.label = label
        self.shape = tuple(label.shape[1:])
        self.random = random
        self._one_hot = len(self.label) > 1
        self._ends: dict[bool, np.ndarray[Any, Any]] = {}

    def draw(self, wanted: bool) -> tuple[tuple[int, ...], bool]:
        """Return a voxel of the foreground (True) or background (False), or of the other when there is none of it.

        Which of them it is, is returned with it.
        """
        if not self._ends:
            probed = self._probe(wanted)
            if probed is not None:
                return probed, wanted
            self._search()
        kind = wanted if self._ends[wanted][-1] else not wanted
        ends = self._ends[kind]
        number = int(self.random.randint(ends[-1]))
        first = int(np.searchsorted(ends, number, side="right"))
        before = int(ends[first - 1]) if first else 0
        rest = np.flatnonzero(foreground(self._slab(first), self._one_hot) == kind)[number - before]
        return (first, *(int(i) for i in np.unravel_index(rest, self.shape[1:]))), kind

    def _probe(self, kind: bool) -> tuple[int, ...] | None:
        for count in _PROBES:
            if count >= np.prod(self.shape):
                return None
            probes = [self.random.randint(0, n, count) for n in self.shape]
            where: tuple[Any, ...] = (slice(None), *(torch.from_numpy(axis) for axis in probes))
            values = _array(self.label[where])
            self._one_hot = self._one_hot and is_one_hot(values)
            hits = np.flatnonzero(foreground(values, self._one_hot) == kind)
            if len(hits):
                return tuple(int(axis[hits[0]]) for axis in probes)
        return None

    def _slab(self, first: int) -> np.ndarray[Any, Any]:
        return _array(self.label[:, first])

    def _search(self) -> None:
        """Count the voxels of both kinds in each slab of the first axis; a slab fits the processor's cache."""
        slabs = [self._slab(first) for first in range(self.shape[0])]
        self._one_hot = self._one_hot and all(map(is_one_hot, slabs))
        counts = [np.count_nonzero(foreground(slab, self._one_hot)) for slab in slabs]
        ends = np.cumsum(counts)
        self._ends = {True: ends, False: np.cumsum(np.full(len(counts), np.prod(self.shape[1:]))) - ends}


def _array(values: torch.Tensor) -> np.ndarray[Any, Any]:
    """Return values as numpy, which compares four times as fast as torch on one thread."""
    array: np.ndarray[Any, Any] = values.detach().cpu().numpy()
    return array
