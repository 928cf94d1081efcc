"""Images whose geometry can be checked: every voxel holds its own place in space."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

Array = np.ndarray[Any, Any]


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """Thousands of tiny operations: threads only wait for each other, as they do not in a loader's workers."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def world_image(oblique_affine: Array, world: Callable[..., Array]) -> Callable[[tuple[int, ...]], MetaTensor]:
    """Make an image (3, *size) in float64 whose voxels hold their RAS mm."""

    def make(size: tuple[int, ...]) -> MetaTensor:
        return MetaTensor(torch.from_numpy(world(oblique_affine, size)), affine=torch.from_numpy(oblique_affine.copy()))

    return make
