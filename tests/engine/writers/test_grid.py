"""Voxels on another grid, against a search for the nearest voxel."""

from __future__ import annotations

import numpy as np
import pytest

from clara_compat.engine.writers.grid import nearest_on_grid
from clara_compat.errors import ClaraError


def turned(angles: bool, order: list[int], signs: list[int], scale: list[float], shift: list[float]) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = np.eye(3)[:, order] @ np.diag(np.multiply(signs, scale))
    if angles:
        cos, sin = np.cos(0.4), np.sin(0.4)
        matrix[:3, :3] = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1.0]]) @ matrix[:3, :3]
    matrix[:3, 3] = shift
    return matrix


def nearest(data: np.ndarray, affine: np.ndarray, target: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """Walk through the other grid in mm; halfway the upper voxel is taken."""
    found = np.zeros((len(data), *size))
    for index in np.ndindex(*size):
        mm = target @ [*index, 1]
        place = np.floor(np.linalg.solve(affine, mm)[:3] + 0.5 + 1e-9).astype(int)
        if (place >= 0).all() and (place < data.shape[1:]).all():
            found[(slice(None), *index)] = data[(slice(None), *place)]
    return found


@pytest.mark.parametrize("dtype", [np.uint8, np.float16, np.float64])
@pytest.mark.parametrize("oblique", [False, True])
@pytest.mark.parametrize("order", [[0, 1, 2], [1, 0, 2], [2, 0, 1]])
@pytest.mark.parametrize("signs", [[1, 1, 1], [-1, 1, -1]])
def test_every_voxel_is_the_nearest(
    oblique: bool, order: list[int], signs: list[int], dtype: type, oblique_affine: np.ndarray
) -> None:
    data = np.random.default_rng(1).integers(0, 250, (2, 12, 10, 9)).astype(dtype)
    change = turned(oblique, order, signs, [0.71, 1.13, 1.57], [3.03, 4.07, 2.09])
    size = (11, 13, 8)
    found = nearest_on_grid(data, oblique_affine, oblique_affine @ change, size)
    np.testing.assert_array_equal(found, nearest(data, oblique_affine, oblique_affine @ change, size))
    assert found.dtype == (np.float32 if dtype == np.float16 else dtype)
    assert np.count_nonzero(found)


def test_a_plane_and_the_same_grid() -> None:
    data = np.arange(12.0).reshape(1, 3, 4)
    np.testing.assert_array_equal(nearest_on_grid(data, np.eye(4), np.eye(4), (3, 4)), data)
    twice = nearest_on_grid(data, np.eye(4), np.diag([0.5, 0.5, 1, 1]), (6, 8))
    np.testing.assert_array_equal(twice[0, ::2, ::2], data[0])


def test_what_cannot_be_put_anywhere() -> None:
    with pytest.raises(ClaraError, match="the image has 2 spatial axes, the grid of its file 3"):
        nearest_on_grid(np.zeros((1, 2, 2)), np.eye(4), np.eye(4), (2, 2, 2))
    with pytest.raises(ClaraError, match="the affine of the image is singular"):
        nearest_on_grid(np.zeros((1, 2, 2, 2)), np.zeros((4, 4)), np.eye(4), (2, 2, 2))
