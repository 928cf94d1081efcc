"""Turn an image's axes to another orientation by flips and swaps alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from nibabel.orientations import apply_orientation, inv_ornt_aff, io_orientation, ornt_transform

from clara_compat.errors import ClaraError

__all__ = ["reoriented"]

_RAS = np.array([[0, 1], [1, 1], [2, 1]])

Array = np.ndarray[Any, Any]


def reoriented(data: Array, affine: Array, like: Array | None = None) -> tuple[Array, Array, list[int]]:
    """Flip and swap spatial axes so that they run as those of another affine do.

    Every voxel keeps its place in space. For a plane, only its own two axes are flipped and swapped.

    Args:
        data: channel-first array (C, x, y, z) or (C, x, y).
        affine: from voxel indices to RAS mm (4x4).
        like: the affine to follow; None for right, anterior, superior (``nibabel.as_closest_canonical``).

    Returns:
        The array, its affine, and for every spatial axis of the result which one it was.

    Raises:
        ClaraError: an affine is singular, or a plane would have to leave its two axes.
    """
    rank = data.ndim - 1
    solid = data if rank == 3 else data[..., np.newaxis]
    start = io_orientation(affine)
    end = _RAS if like is None else io_orientation(like)
    if np.isnan(start).any() or np.isnan(end).any():
        raise ClaraError(f"its affine is singular: {np.round(affine if like is None else like, 4).tolist()}")
    turn = ornt_transform(start, end)
    if rank == 2 and turn[2, 0] != 2:
        raise ClaraError("it is 2-D and its plane is not the one of the wanted first two axes")
    turned_affine = affine @ inv_ornt_aff(turn, solid.shape[1:])
    turned = np.moveaxis(apply_orientation(np.moveaxis(solid, 0, -1), turn), -1, 0)
    order = [int(axis) for axis in np.argsort(turn[:rank, 0])]
    return (turned if rank == 3 else turned[..., 0]), turned_affine, order
