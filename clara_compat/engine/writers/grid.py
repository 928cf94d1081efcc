"""Put an image onto the grid of another file, voxel by voxel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from clara_compat.errors import ClaraError

__all__ = ["nearest_on_grid"]

_NEGLIGIBLE = 0.01
"""Voxels by which an axis may run aside over its whole length and still count as parallel."""
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
        (C, *target_size), of the type of ``data``.

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
    matrix, offset = place[:rank, :rank], place[:rank, 3]
    columns = np.abs(matrix).argmax(axis=1)
    aside = np.abs(matrix) * (np.asarray(target_size) - 1)
    aside[np.arange(rank), columns] = 0
    if aside.max(initial=0) <= _NEGLIGIBLE and sorted(columns) == list(range(rank)):
        return _parallel(data, matrix, offset, columns, target_size)
    return _oblique(data, matrix, offset, target_size)


def _parallel(data: Array, matrix: Array, offset: Array, columns: Array, target_size: Sequence[int]) -> Array:
    """Pick voxels axis by axis: the axes of both grids run alike, perhaps in another order or backwards."""
    rank = len(columns)
    for axis, column in enumerate(columns):
        index = _nearest(matrix[axis, column] * np.arange(target_size[column]) + offset[axis])
        inside = (index >= 0) & (index < data.shape[1 + axis])
        data = data.take(np.where(inside, index, 0), axis=1 + axis)
        data[(slice(None),) * (1 + axis) + (~inside,)] = 0
    return data.transpose(0, *(1 + list(columns).index(column) for column in range(rank)))


def _oblique(data: Array, matrix: Array, offset: Array, target_size: Sequence[int]) -> Array:
    """Pick voxels slice by slice: the places of a whole volume would not fit into memory."""
    out = np.zeros((len(data), *target_size), dtype=data.dtype)
    rest = np.indices(target_size[1:]).reshape(len(target_size) - 1, -1)
    start = matrix[:, 1:] @ rest + offset[:, None]
    limits = np.asarray(data.shape[1:])[:, None]
    for number in range(target_size[0]):
        index = _nearest(start + matrix[:, :1] * number)
        inside = ((index >= 0) & (index < limits)).all(axis=0)
        picked = out[:, number].reshape(len(data), -1)
        where = (slice(None), *index[:, inside])
        picked[:, inside] = data[where]
        out[:, number] = picked.reshape(len(data), *target_size[1:])
    return out


def _nearest(places: Array) -> Array:
    return np.floor(places + 0.5 + _TIE).astype(np.int64)
