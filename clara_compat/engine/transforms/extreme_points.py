"""The extreme points of an object: as a channel of its image, or as coordinates."""

from __future__ import annotations

import functools
import logging
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform, RandomizableTransform
from monai.utils import get_equivalent_dtype
from scipy.special import erf

from clara_compat.common.constants import CANONICAL
from clara_compat.engine import properties
from clara_compat.engine.orientation import reoriented
from clara_compat.engine.tensors import plain
from clara_compat.engine.transforms._fields import channelled, file_of, foreground
from clara_compat.engine.transforms.region import check_same_size
from clara_compat.engine.transforms.resize import ResizeToOriginalShaped
from clara_compat.engine.writers.nifti import affine_to_restore
from clara_compat.errors import ClaraError

__all__ = ["AddExtremePointsd", "FetchExtremePointsd", "RandAddExtremePointsd", "extreme_points", "points_image"]

_logger = logging.getLogger(__name__)

_TAIL = 4.0
"""Standard deviations after which a Gaussian is cut off."""


def extreme_points(mask: torch.Tensor) -> list[tuple[int, ...]]:
    """Return the first and the last foreground voxel along each axis; an empty list without foreground.

    Of several voxels that lie equally far out, the one nearest to their centre is taken (then the first in the
    array's order), so the same mask always gives the same points.

    Args:
        mask: bool tensor (spatial...).

    Returns:
        Voxel indices: lowest of axis 0, highest of axis 0, lowest of axis 1, and so on.
    """
    points = []
    for axis in range(mask.ndim):
        others = tuple(other for other in range(mask.ndim) if other != axis)
        occupied = (mask.any(dim=others) if others else mask).nonzero()
        if not len(occupied):
            return []
        for index in (int(occupied[0]), int(occupied[-1])):
            voxels = mask.select(axis, index).nonzero().cpu().numpy()
            off_centre = len(voxels) * voxels - voxels.sum(axis=0)  # whole numbers: exact
            voxel = voxels[int((off_centre.astype(np.float64) ** 2).sum(axis=1).argmin())].tolist()
            points.append((*voxel[:axis], index, *voxel[axis:]))
    return points


def points_image(
    points: Sequence[Sequence[int]], size: Sequence[int], sigma: float, low: float, high: float
) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return an image (*size) of Gaussians at ``points``, scaled linearly to the range from ``low`` to ``high``.

    A voxel holds the integral of the Gaussian over it, cut off beyond 4 standard deviations, as MONAI's
    ``GaussianFilter`` gives it; points that coincide count once.

    Args:
        points: voxel indices inside the image, at least one.
        size: of the image, voxels.
        sigma: standard deviation in voxels.
        low: value far from the points.
        high: value at the brightest point.
    """
    tail = int(max(sigma * _TAIL, 0.5) + 0.5)
    edges = erf((np.arange(-tail, tail + 2) - 0.5) / (sigma * np.sqrt(2)))
    kernel = np.diff(edges) / 2
    image = np.zeros(size, np.float32)
    for point in {tuple(point) for point in points}:
        starts = [max(at - tail, 0) for at in point]
        stops = [min(at + tail + 1, n) for at, n in zip(point, size, strict=True)]
        rows = [kernel[a - at + tail : b - at + tail] for a, b, at in zip(starts, stops, point, strict=True)]
        window = tuple(slice(a, b) for a, b in zip(starts, stops, strict=True))
        image[window] += functools.reduce(np.multiply.outer, rows)
    lowest, highest = image.min(), image.max()
    if lowest == highest:  # an image of a voxel: it is the point
        return np.full(size, high, np.float32)
    image -= lowest
    image *= (high - low) / (highest - lowest)
    image += low
    return image


class AddExtremePointsd(MapTransform):
    """Append a channel that marks the extreme points of a label's foreground, one Gaussian each.

    The method is that of H. Roth et al., "Going to Extremes: Weakly Supervised Medical Image Segmentation",
    arXiv:2009.11988. Foreground is where the label is above 0 in any channel (of a one-hot label, whose channels sum to
    1, in any but the first); see :func:`extreme_points` and :func:`points_image`. ``AddExtremePointsChanneld`` chooses
    at random among equally extreme voxels even without perturbation, so its result can never be cached.

    Args:
        keys: fields with images (C, spatial...); the results are (C + 1, spatial...).
        label_key: field with the label, of the images' spatial size.
        sigma: standard deviation in voxels; above 0.
        rescale_min: value of the channel far from the points.
        rescale_max: value at the brightest point.
        dtype: data type of the results.
        points_key: None, or a field in which the channel (1, spatial...) is also stored.
        allow_missing_keys: leave out fields an item does not have.

    Raises:
        ClaraError: ``sigma`` is not above 0; the label has no foreground, or another size than an image.
    """

    def __init__(
        self,
        keys: KeysCollection,
        label_key: str,
        sigma: float = 3.0,
        rescale_min: float = -1.0,
        rescale_max: float = 1.0,
        dtype: Any = "float32",
        points_key: str | None = None,
        allow_missing_keys: bool = False,
    ) -> None:
        MapTransform.__init__(self, keys, allow_missing_keys)
        if not 0 < sigma < np.inf:
            raise ClaraError(f"sigma must be a number of voxels above 0, got {sigma}")
        self.label_key = label_key
        self.sigma = float(sigma)
        self.rescale_min = rescale_min
        self.rescale_max = rescale_max
        self.dtype = get_equivalent_dtype(dtype, torch.Tensor)
        self.points_key = points_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the item with the points as last channel of its images."""
        d = dict(data)
        check_same_size(d, [self.label_key, *self.key_iterator(d)])
        label = d[self.label_key]
        size = tuple(label.shape[1:])
        points = extreme_points(foreground(plain(label)))
        if not points:
            raise ClaraError(
                f"field '{self.label_key}' has no foreground, so it has no extreme points ({file_of(label)}): "
                "leave this item out of the data list, or crop around the foreground first"
            )
        marked = points_image(self._placed(points, size), size, self.sigma, self.rescale_min, self.rescale_max)
        channel = torch.from_numpy(marked[np.newaxis]).to(device=label.device, dtype=self.dtype)
        for key in self.key_iterator(d):
            image = d[key]
            marked_image = torch.cat([plain(image).to(self.dtype), channel.to(image.device)])
            d[key] = properties.carry(marked_image, image, **channelled(image))
        if self.points_key is not None:
            d[self.points_key] = properties.carry(channel, label)
        return d

    def _placed(self, points: list[tuple[int, ...]], size: tuple[int, ...]) -> Sequence[Sequence[int]]:
        return points


class RandAddExtremePointsd(RandomizableTransform, AddExtremePointsd):
    """:class:`AddExtremePointsd` with points that are off by a few voxels, as a user's clicks are.

    Each coordinate of each point is moved by ``U(-perturbation, perturbation)``, rounded and kept inside the image.
    ``AddExtremePointsChanneld`` moves them by 0 to twice its ``pert``, never downwards.

    Args:
        keys: see :class:`AddExtremePointsd`, as for the other arguments.
        label_key: field with the label.
        perturbation: voxels; at least 0.
        sigma: standard deviation in voxels.
        rescale_min: value far from the points.
        rescale_max: value at the brightest point.
        dtype: data type of the results.
        points_key: None, or a field for the channel.
        allow_missing_keys: leave out fields an item does not have.

    Raises:
        ClaraError: as :class:`AddExtremePointsd`; ``perturbation`` is below 0.
    """

    def __init__(
        self,
        keys: KeysCollection,
        label_key: str,
        perturbation: float,
        sigma: float = 3.0,
        rescale_min: float = -1.0,
        rescale_max: float = 1.0,
        dtype: Any = "float32",
        points_key: str | None = None,
        allow_missing_keys: bool = False,
    ) -> None:
        RandomizableTransform.__init__(self, prob=1.0)
        AddExtremePointsd.__init__(
            self, keys, label_key, sigma, rescale_min, rescale_max, dtype, points_key, allow_missing_keys
        )
        if not 0 <= perturbation < np.inf:
            raise ClaraError(f"perturbation must be a number of voxels of at least 0, got {perturbation}")
        self.perturbation = float(perturbation)

    def _placed(self, points: list[tuple[int, ...]], size: tuple[int, ...]) -> Sequence[Sequence[int]]:
        moves = self.R.uniform(-self.perturbation, self.perturbation, (len(points), len(size)))
        moved: list[list[int]] = np.clip(points + np.rint(moves).astype(int), 0, np.array(size) - 1).tolist()
        return moved


class FetchExtremePointsd(MapTransform):
    """Write the extreme points of a mask as a list of voxel indices of the image's file.

    Foreground is where the mask is above 0 in any channel (of a one-hot mask, whose channels sum to 1, in any but the
    first). The image's property ``original_shape`` says how large it was loaded; both grids are taken to cover the same
    extent, so index ``i`` of ``m`` voxels becomes ``(i + 0.5) * n / m - 0.5`` of ``n``, rounded. Where the loader
    turned the image (``as_canonical``), the mask is first turned back to the axes of ``original_affine``, as the
    writers do it. The points are ``[[x, y, z], ...]`` in the order of :func:`extreme_points`; a mask without foreground
    gives an empty list, and a warning.

    Args:
        image_key: field with the ``MetaTensor`` whose properties count.
        label_key: field with the mask (C, spatial...).
        points_key: where the list goes.

    Raises:
        ClaraError: the image does not say its original shape, or how it was oriented when it was turned, or it is of
            other axes than the mask.
    """

    def __init__(self, image_key: str, label_key: str, points_key: str = "points") -> None:
        keys: KeysCollection = (image_key, label_key)
        super().__init__(keys)
        self.image_key = image_key
        self.label_key = label_key
        self.points_key = points_key
        self._original = ResizeToOriginalShaped(label_key, image_key)  # one rule with the mask, which is resized later

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the item with the points of its mask."""
        d = dict(data)
        mask = d[self.label_key]
        loaded = self._original.new_size(d, self.label_key)
        marked, order = self._as_in_the_file(foreground(plain(mask)), d[self.image_key])
        original = [loaded[axis] for axis in order]
        points = extreme_points(marked)
        if not points:
            _logger.warning("field '%s' has no foreground, so no extreme points (%s)", self.label_key, file_of(mask))
        d[self.points_key] = [
            [round((at + 0.5) * n / m - 0.5) for at, n, m in zip(point, original, marked.shape, strict=True)]
            for point in points
        ]
        return d

    def _as_in_the_file(self, mask: torch.Tensor, image: torch.Tensor) -> tuple[torch.Tensor, Sequence[int]]:
        """Return the mask with the axes of the image's file, and for each of them which one it was."""
        known = properties.read(image)
        if not any(name in known for name in CANONICAL) or not isinstance(image, MetaTensor):
            return mask, range(mask.ndim)
        like = affine_to_restore(known, self.image_key)
        if like is None:
            return mask, range(mask.ndim)
        turned, _, order = reoriented(mask[None].cpu().numpy(), image.affine.cpu().numpy(), like)
        return torch.from_numpy(np.ascontiguousarray(turned[0])), order
