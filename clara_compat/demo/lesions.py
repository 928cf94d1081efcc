"""Synthetic pictures and volumes to classify: is there a solid lesion in the tissue, and is there a hollow one?

Solid and hollow lesions have the same size and the same brightness, and there are vessels and drifts of intensity that
are as bright as they: neither the brightness of a picture nor that of its brightest spot tells which lesion it has.
The same code draws in 2-D and 3-D; sizes are voxels, intensities go from 0 (dark) to 1 (bright).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from typing import TypeAlias

    from numpy.typing import NDArray

    Image: TypeAlias = NDArray[np.float32]

__all__ = ["LESIONS", "Lesion", "draw_tissue"]

Lesion = Literal["solid", "hollow"]
LESIONS: tuple[Lesion, Lesion] = ("solid", "hollow")
"""The kinds of lesion, in the order of the labels."""

_VESSELS = (4, 8)  # at least, below
_NOISE = (0.03, 0.05)
_CONTRAST = (0.34, 0.46)  # of a lesion over the tissue
_RADIUS = (0.12, 0.16)  # of a lesion, as a part of the picture's size


def draw_tissue(shape: Sequence[int], lesions: Collection[Lesion], random: np.random.Generator) -> Image:
    """Draw one picture or volume.

    Args:
        shape: voxels along each axis, 2 or 3 of them.
        lesions: the kinds of lesion it shall have, one of each.
        random: source of everything that varies.

    Returns:
        Intensities from 0 to 1, float32.
    """
    from scipy.ndimage import gaussian_filter

    size = min(shape)
    axes = np.meshgrid(*(np.arange(n, dtype=np.float32) for n in shape), indexing="ij")
    grid = np.stack(axes)
    image = 0.25 + 0.05 * _clouds(shape, 0.1 * size, random)
    for _ in range(random.integers(*_VESSELS)):
        image = np.maximum(image, _vessel(grid, random))
    for lesion, centre in zip(lesions, _centres(shape, len(lesions), random), strict=True):
        image = image + _lesion(grid, lesion, centre, random)
    image = gaussian_filter(image, 0.6) + random.uniform(*_NOISE) * random.standard_normal(shape, dtype=np.float32)
    image = random.uniform(0.85, 1.15) * image + random.uniform(-0.08, 0.08)
    return np.clip(image, 0, 1).astype(np.float32)


def _clouds(shape: Sequence[int], sigma: float, random: np.random.Generator) -> Image:
    """Return a smooth random field with a standard deviation of 1."""
    from scipy.ndimage import gaussian_filter

    field = gaussian_filter(random.standard_normal(shape, dtype=np.float32), sigma)
    return np.asarray(field / field.std())


def _vessel(grid: Image, random: np.random.Generator) -> Image:
    """Return a straight tube through a random point, as bright as a lesion, thinner than one."""
    shape = np.array(grid.shape[1:])
    start = random.uniform(0, shape)
    direction = random.standard_normal(len(shape))
    direction /= np.linalg.norm(direction)
    offset = grid - _column(start, grid)
    along = np.tensordot(direction.astype(np.float32), offset, axes=1)
    across = np.sqrt(np.maximum((offset**2).sum(axis=0) - along**2, 0))
    radius = max(0.8, random.uniform(0.012, 0.025) * shape.min())
    return np.asarray((0.25 + random.uniform(*_CONTRAST)) * _inside(across, radius))


def _lesion(grid: Image, lesion: Lesion, centre: NDArray[np.float64], random: np.random.Generator) -> Image:
    """Return what a lesion adds: a slightly squeezed ball, or the shell of one."""
    size = min(grid.shape[1:])
    radius = random.uniform(*_RADIUS) * size * random.uniform(0.85, 1.15, size=len(centre))
    distance = np.sqrt((((grid - _column(centre, grid)) / _column(radius, grid)) ** 2).sum(axis=0)) * radius.mean()
    filled = _inside(distance, radius.mean())
    if lesion == "hollow":
        filled = filled - _inside(distance, 0.6 * radius.mean())
    return np.asarray(random.uniform(*_CONTRAST) * filled)


def _centres(shape: Sequence[int], count: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Return places well inside of the picture and apart from each other, one per row."""
    from scipy.spatial.distance import pdist

    size = np.array(shape)
    while True:  # all are drawn anew: beside one in the middle there may be no place for another
        centres = random.uniform(0.2 * size, 0.8 * size, size=(count, len(size)))
        if count < 2 or pdist(centres).min() > 2.4 * _RADIUS[1] * size.min():
            return centres


def _inside(distance: Image, radius: float) -> Image:
    """Return 1 below ``radius`` and 0 above, with an edge one voxel wide."""
    return np.asarray(np.clip(radius - distance + 0.5, 0, 1))


def _column(values: NDArray[np.float64], grid: Image) -> Image:
    """Return one value per axis in a shape that spreads over the grid."""
    return values.astype(np.float32).reshape(-1, *[1] * (grid.ndim - 1))
