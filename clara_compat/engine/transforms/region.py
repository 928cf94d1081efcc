"""Boxes of voxels: cutting them out of an image, and saying where they lie in space.

A box begins at the voxel ``start`` of the image and has ``size`` voxels; it may reach beyond the image. Coordinates are
voxel indices of the array.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from monai.data import MetaTensor
from monai.data.utils import to_affine_nd

from clara_compat.engine import properties
from clara_compat.engine.tensors import plain
from clara_compat.engine.transforms._fields import file_of
from clara_compat.errors import ClaraError

__all__ = ["box_size", "check_axes", "check_same_size", "cut_box", "moved", "moved_affine"]


def box_size(size: Sequence[int]) -> tuple[int, ...]:
    """Return the size of a box as integers.

    Args:
        size: whole numbers, one per axis, as ints or floats.

    Raises:
        ClaraError: it is not 2 or 3 positive numbers.
    """
    numbers = tuple(int(n) for n in size)
    if len(numbers) not in (2, 3) or min(numbers) < 1:
        raise ClaraError(f"the size of a crop must be 2 or 3 positive numbers of voxels, got {list(size)}")
    return numbers


def check_axes(size: Sequence[int], image: torch.Tensor, key: Hashable) -> None:
    """Check that a box has as many axes as an image (C, spatial...).

    Args:
        size: voxels of the box per axis.
        image: the image.
        key: its name, for the message.

    Raises:
        ClaraError: it has not.
    """
    if len(size) != image.ndim - 1:
        raise ClaraError(
            f"the crop size {list(size)} has {len(size)} numbers, but field '{key}' has {image.ndim - 1} spatial axes "
            f"({file_of(image)})"
        )


def check_same_size(data: Mapping[Hashable, Any], keys: Iterable[Hashable]) -> None:
    """Check that fields that are cut at the same place have the same spatial size.

    Args:
        data: the item.
        keys: names of the images.

    Raises:
        ClaraError: two differ.
    """
    first, *others = keys
    for other in others:
        one, two = data[first], data[other]
        if one.shape[1:] != two.shape[1:]:
            raise ClaraError(
                f"field '{other}' has the shape {tuple(two.shape[1:])} and field '{first}' {tuple(one.shape[1:])}: "
                f"fields that are cut together must be of one shape ({file_of(two)}, {file_of(one)})"
            )


def cut_box(image: torch.Tensor, start: Sequence[int], size: Sequence[int]) -> torch.Tensor:
    """Return a box of an image (C, spatial...) with its affine and properties; outside the image it is 0.

    The box is a copy: a view would keep the whole scan in memory, and send it from worker to trainer.

    Args:
        image: the image.
        start: voxel of the box's first corner; it may lie outside.
        size: voxels of the box per axis.
    """
    voxels, shape = plain(image), image.shape[1:]
    ends = [a + n for a, n in zip(start, size, strict=True)]
    inside = [slice(max(a, 0), min(b, m)) for a, b, m in zip(start, ends, shape, strict=True)]
    found = voxels[_everywhere(inside)]
    if tuple(found.shape[1:]) == tuple(size):
        piece = found.clone(memory_format=torch.contiguous_format)
    else:
        piece = voxels.new_zeros((voxels.shape[0], *size))
        target = [slice(part.start - a, part.stop - a) for part, a in zip(inside, start, strict=True)]
        piece[_everywhere(target)] = found
    place = np.eye(len(size) + 1)
    place[:-1, -1] = start
    return properties.carry(piece, image, moved_affine(image, place))


def moved_affine(source: torch.Tensor, place: np.ndarray[Any, Any]) -> torch.Tensor | None:
    """Return the affine of an image that is sampled from ``source``; None when ``source`` has none.

    Args:
        source: the image that is sampled.
        place: homogeneous matrix (rank + 1, rank + 1) from the new voxel indices to those of ``source``.
    """
    return moved(source.affine, place) if isinstance(source, MetaTensor) else None


def moved(affine: torch.Tensor, place: np.ndarray[Any, Any]) -> torch.Tensor:
    """Return the affine of a grid whose voxel indices ``place`` maps to those that ``affine`` is for."""
    affine = affine.to(torch.float64)
    return affine @ torch.from_numpy(to_affine_nd(affine.shape[-1] - 1, place))


def _everywhere(box: Sequence[slice]) -> tuple[slice, ...]:
    return slice(None), *box
