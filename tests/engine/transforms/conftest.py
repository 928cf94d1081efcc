"""Images whose geometry can be checked: every voxel holds its own place in space."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from scipy.spatial.transform import Rotation

Array = np.ndarray[Any, Any]


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """Thousands of tiny operations: threads only wait for each other, as they do not in a loader's workers."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def oblique_affine() -> Array:
    """A rotated, flipped, shifted affine with voxels of 0.8 x 1.5 x 4 mm."""
    affine = np.eye(4)
    turn = Rotation.from_euler("xyz", [20, -35, 50], degrees=True).as_matrix()
    affine[:3, :3] = turn @ np.diag([-0.8, 1.5, 4.0])
    affine[:3, 3] = [12.0, -200.0, 37.5]
    return affine


@pytest.fixture(scope="session")
def world() -> Callable[[Array, tuple[int, ...]], Array]:
    """Return the RAS mm (3, *size) of the voxels of an image of an affine and a size."""

    def places(affine: Array, size: tuple[int, ...]) -> Array:
        index = np.indices(size).reshape(len(size), -1)
        return (affine[:3, : len(size)] @ index + affine[:3, 3:]).reshape(3, *size)

    return places


@pytest.fixture
def world_image(oblique_affine: Array, world: Callable[..., Array]) -> Callable[[tuple[int, ...]], MetaTensor]:
    """Make an image (3, *size) in float64 whose voxels hold their RAS mm."""

    def make(size: tuple[int, ...]) -> MetaTensor:
        return MetaTensor(torch.from_numpy(world(oblique_affine, size)), affine=torch.from_numpy(oblique_affine.copy()))

    return make
