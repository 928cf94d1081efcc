"""Cut one region around a foreground or background voxel, straight or warped."""

from __future__ import annotations

import logging
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.data.utils import to_affine_nd
from monai.transforms import MapTransform, RandomizableTransform

from clara_compat.engine import properties
from clara_compat.engine.transforms.warp import (
    place_matrix,
    region_coordinates,
    rotation_matrix,
    sample_region,
    smooth_displacement,
)
from clara_compat.errors import ClaraError

__all__ = ["RandCropPosNegROId"]

_logger = logging.getLogger(__name__)

_PROBES = (256, 4096, 65536)
"""Voxels looked at, round by round, before the whole label is searched."""


class RandCropPosNegROId(RandomizableTransform, MapTransform):
    """Cut one region of ``spatial_size`` out of an image and its label, the same one from both.

    The region's centre (its voxel ``spatial_size // 2``) is a foreground voxel (label above 0 in any channel) with
    probability ``pos / (pos + neg)`` and a background voxel otherwise, uniform over these; then the region is shifted
    inside the image. A label without foreground gives background and the other way round.

    With any of the three options the region is sampled through a warp from the whole image, so what enters at its
    border is the region's own surroundings; beyond the image the border voxels continue. The image is interpolated
    linearly, the label by nearest neighbour. In voxels of the array, about the region's centre:

    - rotation about every axis of the array by an angle of ``U(-rotate_degrees, rotate_degrees)`` each;
    - one factor ``U(1 - scale_factor, 1 + scale_factor)`` for all axes: above 1 the region shows more of the scan;
    - a displacement per voxel, Gaussian with standard deviation ``U(*deform_magnitude)`` voxels, smooth over
      ``U(*deform_sigma)`` voxels (see :func:`~clara_compat.engine.transforms.warp.smooth_displacement`).

    The affine follows shift, rotation and scale; no affine can follow the displacement.

    Source: clara-3.1-transforms facts, sections 4.8 and 10. Clara's laws of the warp are not documented; these follow
    the spatial augmentation of batchgenerators (MIC-DKFZ), after whose helpers Clara's were named: its displacement
    (alpha 0..1000, sigma 10..13) has in 3-D a standard deviation of 0 to 2.3 voxels.

    Args:
        image_key: field with the image, (C, spatial...); linear interpolation.
        label_key: field with the label, of the image's spatial shape; nearest neighbour.
        spatial_size: 2 or 3 numbers of voxels.
        pos: weight of foreground; not below 0.
        neg: weight of background; not below 0, and not 0 when ``pos`` is.
        rotate_degrees: None or 0 for no rotation.
        scale_factor: below 1; None or 0 for none.
        deform: whether to displace.
        deform_sigma: range of the smoothness, voxels.
        deform_magnitude: range of the standard deviation of the displacement, voxels.

    Raises:
        ClaraError: an argument is out of its range; the region is larger than the image; label and image differ in
            shape.
    """

    def __init__(
        self,
        image_key: str,
        label_key: str,
        spatial_size: Sequence[int],
        pos: float = 1.0,
        neg: float = 1.0,
        rotate_degrees: float | None = None,
        scale_factor: float | None = None,
        deform: bool = False,
        deform_sigma: tuple[float, float] = (10.0, 13.0),
        deform_magnitude: tuple[float, float] = (0.0, 2.3),
    ) -> None:
        keys: KeysCollection = (image_key, label_key)
        MapTransform.__init__(self, keys)
        RandomizableTransform.__init__(self, prob=1.0)
        self.image_key = image_key
        self.label_key = label_key
        self.spatial_size = tuple(int(n) for n in spatial_size)
        self.rotate_degrees = float(rotate_degrees or 0.0)
        self.scale_factor = float(scale_factor or 0.0)
        self.deform = deform
        self.deform_sigma = deform_sigma
        self.deform_magnitude = deform_magnitude
        if len(self.spatial_size) not in (2, 3) or min(self.spatial_size) < 1:
            raise ClaraError(f"the size of a crop must be 2 or 3 positive numbers of voxels, got {list(spatial_size)}")
        if min(pos, neg) < 0 or pos + neg <= 0:
            raise ClaraError(f"pos and neg must not be below 0, nor both 0, got {pos} and {neg}")
        if not 0 <= self.scale_factor < 1:
            raise ClaraError(f"scale_factor must be at least 0 and below 1, got {scale_factor}")
        self.foreground_probability = pos / (pos + neg)
        self._warned = False

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the item with image and label cut."""
        d = dict(data)
        image, label = d[self.image_key], d[self.label_key]
        self._check(image, label)
        start = self._draw_start(_plain(label), _file(label))
        warp = self._draw_warp(start)
        if warp is None:
            slices = (slice(None), *(slice(a, a + n) for a, n in zip(start, self.spatial_size, strict=True)))
            place = np.eye(len(start) + 1)
            place[:-1, -1] = start
            # a copy: a view would keep the whole scan in memory, and send it from worker to trainer
            pieces = [_plain(one)[slices].clone(memory_format=torch.contiguous_format) for one in (image, label)]
        else:
            place, coordinates = warp
            pieces = [sample_region(_plain(image), coordinates, "bilinear")]
            pieces.append(sample_region(_plain(label), coordinates, "nearest"))
        d[self.image_key], d[self.label_key] = (
            properties.carry(piece, source, _moved(source, place))
            for piece, source in zip(pieces, (image, label), strict=True)
        )
        return d

    def _check(self, image: torch.Tensor, label: torch.Tensor) -> None:
        if image.shape[1:] != label.shape[1:]:
            raise ClaraError(
                f"field '{self.label_key}' has the shape {tuple(label.shape[1:])} and field '{self.image_key}' "
                f"{tuple(image.shape[1:])}: a label must be of its image's shape ({_file(label)}, {_file(image)})"
            )
        size = tuple(image.shape[1:])
        if len(size) != len(self.spatial_size):
            raise ClaraError(
                f"the crop size {list(self.spatial_size)} has {len(self.spatial_size)} numbers, but field "
                f"'{self.image_key}' has {len(size)} spatial axes ({_file(image)})"
            )
        if any(crop > n for crop, n in zip(self.spatial_size, size, strict=True)):
            raise ClaraError(
                f"a crop of {list(self.spatial_size)} voxels is larger than the image, which has {list(size)} at this "
                f"point ({_file(image)}): make 'size' smaller or resample to smaller voxels"
            )

    def _draw_start(self, label: torch.Tensor, file: str) -> tuple[int, ...]:
        foreground = bool(self.R.random_sample() < self.foreground_probability)
        voxel = self._draw_voxel(label, foreground)
        if voxel is None:
            voxel = self._draw_voxel(label, not foreground)
            if not self._warned:
                self._warned = True
                wanted, other = ("foreground", "background") if foreground else ("background", "foreground")
                _logger.warning("the label has no %s, crops are centred on %s (%s)", wanted, other, file)
        if voxel is None:
            raise ClaraError(f"field '{self.label_key}' has no voxels ({file})")
        return tuple(
            min(max(at - size // 2, 0), n - size)
            for at, size, n in zip(voxel, self.spatial_size, label.shape[1:], strict=True)
        )

    def _draw_voxel(self, label: torch.Tensor, foreground: bool) -> tuple[int, ...] | None:
        """Return a voxel, uniform over the foreground (or background), or None when there is none."""
        shape = tuple(label.shape[1:])
        for count in _PROBES:
            if count >= np.prod(shape):
                break
            probes = [self.R.randint(0, n, count) for n in shape]
            where: tuple[Any, ...] = (slice(None), *(torch.from_numpy(axis) for axis in probes))
            hits = ((label[where] > 0).any(dim=0) == foreground).nonzero()
            if len(hits):
                return tuple(int(axis[int(hits[0])]) for axis in probes)
        found = ((label > 0).any(dim=0) == foreground).flatten().nonzero()
        if not len(found):
            return None
        return tuple(int(i) for i in np.unravel_index(int(found[self.R.randint(len(found))]), shape))

    def _draw_warp(self, start: tuple[int, ...]) -> tuple[Any, Any] | None:
        """Return the region's placement matrix and its voxels' coordinates in the image, or None without a warp."""
        if not (self.rotate_degrees or self.scale_factor or self.deform):
            return None
        size, rank = self.spatial_size, len(self.spatial_size)
        matrix = np.eye(rank)
        if self.rotate_degrees:
            limit = np.deg2rad(self.rotate_degrees)
            matrix = rotation_matrix(self.R.uniform(-limit, limit, 1 if rank == 2 else 3).tolist())
        if self.scale_factor:
            matrix = matrix * self.R.uniform(1 - self.scale_factor, 1 + self.scale_factor)
        displacement = None
        if self.deform:
            sigma, magnitude = self.R.uniform(*self.deform_sigma), self.R.uniform(*self.deform_magnitude)
            displacement = smooth_displacement(size, sigma, magnitude, self.R)
        centre = [at + (n - 1) / 2 for at, n in zip(start, size, strict=True)]
        place = place_matrix(matrix, centre, size)
        return place, region_coordinates(place, size, displacement)


def _plain(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.as_tensor() if isinstance(tensor, MetaTensor) else tensor


def _file(tensor: torch.Tensor) -> str:
    return str(tensor.meta.get("filename_or_obj", "no file")) if isinstance(tensor, MetaTensor) else "no file"


def _moved(source: torch.Tensor, place: Any) -> torch.Tensor | None:
    if not isinstance(source, MetaTensor):
        return None
    affine = source.affine.to(torch.float64)
    return affine @ torch.from_numpy(to_affine_nd(affine.shape[-1] - 1, place))
