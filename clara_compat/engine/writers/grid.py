"""Put an image onto the grid of another file, voxel by voxel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.ndimage import affine_transform

from clara_compat.errors import ClaraError

__all__ = ["nearest_on_grid"]

_TIE = 1e-6
"""Halfway between two voxels the upper one is taken, whatever the last digits say."""

Array = np.ndarray[Any, Any]


def nearest_on_grid(data: Array, affine: Array, target_affine: Array, target_size: Sequence[int]) -> Array:
    """Return the nearest voxel of an image for every voxel of another grid; 0 where the image does not reach.

    Args:
        data: channel-first array (C, x, y, z) or (C, x, y).
        affine: its affine, from voxel indices to RAS mm (4x4).
        target_affine: the affine of the other grid.
        target_size: its voxels per axis, as many axes as the image has.

    Returns:
        (C, *target_size), of the type of ``data``; float32 in place of float16.

    Raises:
        ClaraError: the affine is singular, or the grids differ in the number of axes.
    """
    rank = data.ndim - 1
    if len(target_size) != rank:
        raise ClaraError(f"the image has {rank} spatial axes, the grid of its file {len(target_size)}")
    try:
        place = np.linalg.inv(np.asarray(affine, dtype=np.float64)) @ np.asarray(target_affine, dtype=np.float64)
    except np.linalg.LinAlgError:
        raise ClaraError(f"the affine of the image is singular: {np.round(affine, 4).tolist()}") from None
    with_type = np.float32 if data.dtype == np.float16 else data.dtype  # scipy has no halves
    matrix, offset = place[:rank, :rank], place[:rank, 3] + _TIE
    size = tuple(target_size)
    return np.stack(
        [
            affine_transform(channel, matrix, offset, size, with_type, order=0, mode="grid-constant")
            for channel in data.astype(with_type, copy=False)
        ]
    )
