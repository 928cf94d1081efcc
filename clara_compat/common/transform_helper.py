"""Functions on numpy arrays that user code found in ``ai4med.libs.transforms.helper``.

Source: clara-3.1-transforms facts, section 9: names and arguments are documented; what the functions return, and every
rule below that is not in an argument's name, is assumed.
"""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from typing import Any

import numpy as np

from clara_compat.common.data_format import DataFormat

__all__ = [
    "create_matrix_rotation_2d",
    "create_matrix_rotation_x_3d",
    "create_matrix_rotation_y_3d",
    "create_matrix_rotation_z_3d",
    "crop_image",
    "find_random_foreground_or_background",
    "find_random_foreground_or_background_naive",
    "largest_connected_component",
    "pad_if_needed",
    "pad_to_minimal_size",
]

Array = np.ndarray[Any, Any]

_PROBES = (256, 4096, 65536)
"""Elements looked at, round by round, before the whole array is searched."""

_randint = np.random.randint

_FIRST_SPATIAL_AXIS = {DataFormat.CHANNELS_FIRST: 1, DataFormat.CHANNELS_LAST: 0, DataFormat.GRAYSCALE: 0}


def crop_image(
    data: MutableMapping[str, Any],
    image_field: str,
    label_field: str | None,
    crop_size: Sequence[int],
    start_dim: int,
    end_dim: int,
    max_displacement: float | Sequence[float] | None,
    data_format: str,
) -> MutableMapping[str, Any]:
    """Cut one region at random out of a 2-D image and, at the same place, out of its label.

    Args:
        data: arrays by field; the cut ones take their places, the arrays themselves are not written to.
        image_field: field with the image.
        label_field: field with the label, or None when there is none.
        crop_size: height and width in pixels.
        start_dim: first axis to cut.
        end_dim: last axis to cut, or the one behind it.
        max_displacement: how far the region's centre may lie from the image's, in pixels, one number or one per axis;
            None: anywhere.
        data_format: one of :class:`~clara_compat.common.data_format.DataFormat`.

    Returns:
        ``data``.

    Raises:
        ValueError: the axes do not fit the sizes or the format, the crop is larger than the image, or the label is of
            another size.
    """
    if data_format not in _FIRST_SPATIAL_AXIS:
        raise ValueError(f"{data_format!r} is not a data format, expected one of {', '.join(_FIRST_SPATIAL_AXIS)}")
    axes = _axes(start_dim, end_dim, crop_size)
    if len(axes) != 2 or axes[0] != _FIRST_SPATIAL_AXIS[data_format]:
        first = _FIRST_SPATIAL_AXIS[data_format]
        raise ValueError(f"the axes of a 2-D image in {data_format} are {first} and {first + 1}, got {list(axes)}")
    image = data[image_field]
    size = [image.shape[axis] for axis in axes]
    if any(crop > n for crop, n in zip(crop_size, size, strict=True)):
        raise ValueError(f"a crop of {list(crop_size)} pixels is larger than the image, which has {size}")
    starts = [
        _random_start(n, crop, limit)
        for n, crop, limit in zip(size, crop_size, _per_axis(max_displacement), strict=True)
    ]
    for field in (image_field, label_field):
        if field is None:
            continue
        if [data[field].shape[axis] for axis in axes] != size:
            raise ValueError(f"'{field}' has the shape {data[field].shape}, the image {image.shape}: expected one size")
        where = [slice(None)] * data[field].ndim
        for axis, start, crop in zip(axes, starts, crop_size, strict=True):
            where[axis] = slice(start, start + crop)
        data[field] = data[field][tuple(where)].copy()
    return data


def find_random_foreground_or_background(a: Array, is_foreground: bool = False) -> tuple[int, ...] | None:
    """Return the index of a random element above 0 (foreground) or of another one, all alike likely.

    Elements are probed at random first, so that a large array is rarely searched whole.

    Args:
        a: any array.
        is_foreground: which of the two.

    Returns:
        An index, one number per axis; None when there is no such element.
    """
    for count in _PROBES:
        if count >= a.size:
            break
        probes = tuple(_randint(0, n, count) for n in a.shape)
        hits = np.flatnonzero((a[probes] > 0) == is_foreground)
        if hits.size:
            return tuple(int(axis[hits[0]]) for axis in probes)
    return find_random_foreground_or_background_naive(a, is_foreground)


def find_random_foreground_or_background_naive(a: Array, is_foreground: bool = False) -> tuple[int, ...] | None:
    """Return what :func:`find_random_foreground_or_background` does, by listing all such elements.

    Args:
        a: the array.
        is_foreground: which of the two.
    """
    found = np.flatnonzero((a > 0) == is_foreground)
    if not found.size:
        return None
    return tuple(int(i) for i in np.unravel_index(found[_randint(found.size)], a.shape))


def largest_connected_component(label: Array) -> Array:
    """Return a copy of ``label`` in which only the object of the most elements is left, the rest is 0.

    Elements above 0 are foreground; those that share a face, an edge or a corner are connected. Of objects of the same
    size the first one in the array's order stays.
    """
    from scipy import ndimage

    everywhere = np.ones((3,) * label.ndim, dtype=bool)
    objects, number = ndimage.label(label > 0, structure=everywhere)
    if number == 0:
        return np.zeros_like(label)
    sizes = np.bincount(objects.ravel())
    largest = int(sizes[1:].argmax()) + 1
    return np.where(objects == largest, label, np.zeros((), label.dtype))


def pad_if_needed(image: Array, out_size: Sequence[int], is_channels_first: bool = True) -> Array:
    """Return the image with zeros around it, so that no spatial axis is shorter than ``out_size``; nothing is cut.

    Args:
        image: (C, spatial...) or (spatial..., C).
        out_size: smallest spatial size, one number per spatial axis.
        is_channels_first: where the channels are.

    Raises:
        ValueError: ``out_size`` does not fit the image.
    """
    if len(out_size) != image.ndim - 1:
        raise ValueError(f"the size {list(out_size)} does not fit an image of {image.ndim - 1} spatial axes")
    first = 1 if is_channels_first else 0
    return pad_to_minimal_size(image, out_size, first, first + len(out_size))


def pad_to_minimal_size(
    image: Array, out_size: Sequence[int], start_dim: int, end_dim: int, pad_mode: Any = "constant"
) -> Array:
    """Return the image padded on both sides (the odd element behind), so that no axis is shorter than ``out_size``.

    Args:
        image: any array.
        out_size: smallest size, one number per axis of ``start_dim`` to ``end_dim``.
        start_dim: first axis to pad.
        end_dim: last axis to pad, or the one behind it: ``out_size`` says which.
        pad_mode: of ``numpy.pad``.

    Raises:
        ValueError: the axes do not fit ``out_size`` or the image.
    """
    axes = _axes(start_dim, end_dim, out_size)
    if axes[0] < 0 or axes[-1] >= image.ndim:
        raise ValueError(f"the axes {list(axes)} are not axes of an array of {image.ndim} axes")
    widths = [(0, 0)] * image.ndim
    for axis, wanted in zip(axes, out_size, strict=True):
        missing = max(wanted - image.shape[axis], 0)
        widths[axis] = (missing // 2, missing - missing // 2)
    padded: Array = np.pad(image, widths, mode=pad_mode)
    return padded


def create_matrix_rotation_2d(angle: float, matrix: Array | None = None) -> Array:
    """Return the 2x2 matrix of a turn by ``angle`` radians from axis 0 to axis 1, behind ``matrix`` when given."""
    return _multiplied(matrix, _rotation(2, angle, 0, 1))


def create_matrix_rotation_x_3d(angle: float, matrix: Array | None = None) -> Array:
    """Return the 3x3 matrix of a turn by ``angle`` radians about axis 0: ``matrix @ turn`` when one is given.

    Args:
        angle: radians.
        matrix: what comes first, (3, 3), or None.
    """
    return _multiplied(matrix, _rotation(3, angle, 1, 2))


def create_matrix_rotation_y_3d(angle: float, matrix: Array | None = None) -> Array:
    """Return the 3x3 matrix of a turn by ``angle`` radians about axis 1: ``matrix @ turn`` when one is given.

    Args:
        angle: radians.
        matrix: what comes first, (3, 3), or None.
    """
    return _multiplied(matrix, _rotation(3, angle, 2, 0))


def create_matrix_rotation_z_3d(angle: float, matrix: Array | None = None) -> Array:
    """Return the 3x3 matrix of a turn by ``angle`` radians about axis 2: ``matrix @ turn`` when one is given.

    Args:
        angle: radians.
        matrix: what comes first, (3, 3), or None.
    """
    return _multiplied(matrix, _rotation(3, angle, 0, 1))


def _rotation(rank: int, angle: float, one: int, other: int) -> Array:
    """Return the matrix that turns axis ``one`` towards axis ``other``."""
    turn = np.eye(rank)
    turn[one, one] = turn[other, other] = np.cos(angle)
    turn[other, one] = np.sin(angle)
    turn[one, other] = -np.sin(angle)
    return turn


def _multiplied(matrix: Array | None, turn: Array) -> Array:
    return turn if matrix is None else np.asarray(matrix) @ turn


def _axes(start_dim: int, end_dim: int, sizes: Sequence[int]) -> range:
    """Return the axes that ``sizes`` are of; whether ``end_dim`` is the last one is not documented."""
    for stop in (end_dim, end_dim + 1):
        if stop - start_dim == len(sizes) > 0:
            return range(start_dim, stop)
    raise ValueError(
        f"the axes {start_dim} to {end_dim} do not fit the sizes {list(sizes)}: expected one number for each axis"
    )


def _per_axis(limit: float | Sequence[float] | None) -> tuple[float | None, float | None]:
    if limit is None or isinstance(limit, (int, float, np.number)):
        return limit, limit
    one, other = limit
    return one, other


def _random_start(n: int, crop: int, limit: float | None) -> int:
    """Draw where a crop begins: uniform over the places whose centre is at most ``limit`` from the axis's centre."""
    low, high = 0, n - crop
    if limit is not None:
        if limit < 0:
            raise ValueError(f"max_displacement is {limit}, expected numbers of at least 0")
        middle = (n - crop) // 2
        low, high = max(low, middle - int(limit)), min(high, middle + int(limit))
    return int(_randint(low, high + 1))
