"""A synthetic upper abdomen: which tissue fills which millimetre, different in every case.

The organ to find is the spleen. The liver has the spleen's intensity (each case draws both from one range), the heart
and the kidneys overlap with it, so intensity alone does not find it; its place, size, tilt and shape vary, so place
alone does not either. All lengths are millimetres in NIfTI's RAS frame (x to the patient's right, y to the front,
z to the head) around the middle of the scan; intensities are Hounsfield units (HU).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from typing import TypeAlias

    from numpy.typing import NDArray

    Grid: TypeAlias = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]

__all__ = ["FIELD_OF_VIEW", "SPLEEN", "Anatomy", "draw_anatomy"]

FIELD_OF_VIEW = (340.0, 340.0, 230.0)
"""Extent of a scan in mm."""

_BEND = 5.0  # mm
_DENT = 0.06  # of an organ's half axes

AIR, FAT, WALL, LUNG, HEART, LIVER, SPLEEN, STOMACH, GAS, KIDNEY, AORTA, BOWEL, MARROW, BONE = range(14)


@dataclass(frozen=True)
class _Ellipsoid:
    """An organ before it varies: centre and half axes (mm), largest tilt (degrees), how far it wanders (mm)."""

    tissue: int
    centre: tuple[float, float, float]
    half_axes: tuple[float, float, float]
    tilt: float = 12.0
    wander: float = 6.0


# Painted in this order: what comes later covers what came before.
_ORGANS = (
    _Ellipsoid(LUNG, (72, -5, 112), (56, 78, 84), tilt=5),
    _Ellipsoid(LUNG, (-72, -5, 112), (56, 78, 84), tilt=5),
    _Ellipsoid(HEART, (-22, 32, 98), (52, 42, 44)),
    _Ellipsoid(BOWEL, (35, 45, -85), (38, 26, 30), wander=15),
    _Ellipsoid(BOWEL, (-40, 48, -80), (45, 24, 28), wander=15),
    _Ellipsoid(BOWEL, (-5, 30, -105), (60, 30, 22), wander=15),
    _Ellipsoid(STOMACH, (-48, 34, 2), (40, 36, 48), wander=10),
    _Ellipsoid(LIVER, (70, 4, 6), (66, 78, 66), wander=8),
    _Ellipsoid(LIVER, (15, 48, 20), (52, 30, 34), wander=8),
    _Ellipsoid(KIDNEY, (62, -46, -72), (25, 27, 48), wander=10),
    _Ellipsoid(KIDNEY, (-60, -46, -66), (25, 27, 48), wander=10),
    _Ellipsoid(SPLEEN, (-82, -30, 6), (42, 50, 53), tilt=25, wander=10),
)


@dataclass(frozen=True)
class Anatomy:
    """One case.

    Args:
        tissue: tissue number per voxel; :data:`SPLEEN` is the labelled one.
        hounsfield: noise-free HU per voxel, of the same shape.
    """

    tissue: NDArray[np.uint8]
    hounsfield: NDArray[np.float32]


def draw_anatomy(grid: Grid, random: np.random.Generator) -> Anatomy:
    """Draw a case and sample it.

    Args:
        grid: x, y and z of the voxel centres in mm, each along its own axis and of size 1 along the others.
        random: source of everything that varies.
    """
    x, y, z = _warped(grid, random)
    width, depth = random.uniform(138, 156), random.uniform(100, 116)
    x, y = x - random.uniform(-8, 8), y - random.uniform(-8, 8)
    fat, muscle = random.uniform(12, 24), random.uniform(13, 18)
    trunk = _oval(x / width, y / depth)
    cavity = _oval(x / (width - fat - muscle), y / (depth - fat - muscle)) <= 1
    tissue = np.zeros(x.shape, dtype=np.uint8)
    tissue[trunk <= 1] = FAT
    tissue[_oval(x / (width - fat), y / (depth - fat)) <= 1] = WALL
    tissue[cavity] = FAT

    for organ in _ORGANS:
        box, shape = _place(organ, grid, random)
        inside = shape((x[box], y[box], z[box])) & cavity[box]
        tissue[box][inside] = organ.tissue
        if organ.tissue in (STOMACH, BOWEL):  # the patient lies on the back: gas rises to the front
            level = organ.centre[1] + organ.half_axes[1] * random.uniform(0.2, 0.8)
            tissue[box][inside & (y[box] > level)] = GAS

    _paint_skeleton(tissue, (x, y, z), _oval(x / (width - fat - 6), y / (depth - fat - 6)), random)
    return Anatomy(tissue, _intensities(random)[tissue])


def _intensities(random: np.random.Generator) -> NDArray[np.float32]:
    """HU per tissue number; liver and spleen come from the same range."""
    hounsfield = np.empty(14, dtype=np.float32)
    hounsfield[[AIR, FAT, LUNG, GAS]] = -1000, -100, -740, -900
    hounsfield[[WALL, STOMACH, BOWEL]] = random.uniform((45, 5, 10), (65, 35, 45))
    hounsfield[[LIVER, SPLEEN]] = random.uniform(105, 135) + random.uniform(-8, 8, size=2)
    hounsfield[[HEART, KIDNEY, AORTA]] = random.uniform((100, 125, 140), (140, 175, 190))
    hounsfield[[MARROW, BONE]] = random.uniform((180, 450), (260, 700))
    return hounsfield


def _paint_skeleton(
    tissue: NDArray[np.uint8],
    grid: Grid,
    rib_cage: NDArray[np.float32],
    random: np.random.Generator,
) -> None:
    """Add spine, aorta and ribs; ``rib_cage`` is 1 on the surface in which the ribs run."""
    x, y, z = grid
    spine = np.hypot(x / 21, (y + 62) / 18)
    tissue[spine <= 1] = BONE
    tissue[spine <= 0.75] = MARROW
    tissue[(np.abs(x) < 5) & (y < -76) & (y > -98) & (np.cos(z * (2 * np.pi / 30)) > -0.3)] = BONE
    tissue[np.hypot(x + 10, y + 32) <= random.uniform(9, 13)] = AORTA
    slope, phase = random.uniform(0.35, 0.55), random.uniform(0, 2 * np.pi)
    along = np.cos((z - slope * y) * (2 * np.pi / 32) + phase) > 0.35  # ribs run down towards the front
    tissue[along & (np.abs(rib_cage - 1) < 0.04) & (z > -70 + 0.5 * y)] = BONE


def _place(
    organ: _Ellipsoid, grid: Grid, random: np.random.Generator
) -> tuple[tuple[slice, ...], Callable[[Grid], NDArray[np.bool_]]]:
    """Place, size, tilt and dent a copy of ``organ`` at random.

    Returns:
        The part of the scan it lies in, and a function that says for (warped) coordinates whether they are inside.
    """
    from scipy.spatial.transform import Rotation

    centre = np.asarray(organ.centre) + random.uniform(-organ.wander, organ.wander, size=3)
    half_axes = np.asarray(organ.half_axes) * random.uniform(0.85, 1.2, size=3)
    angles = random.uniform(-organ.tilt, organ.tilt, size=3)
    to_local = (Rotation.from_euler("xyz", angles, degrees=True).as_matrix() / half_axes).T.astype(np.float32)
    phases = random.uniform(0, 2 * np.pi, size=3).astype(np.float32)

    def inside(coordinates: Grid) -> NDArray[np.bool_]:
        moved = np.stack(coordinates) - centre.astype(np.float32).reshape(3, 1, 1, 1)
        local = np.tensordot(to_local, moved, axes=1)
        dents = np.float32(_DENT) * np.sin(np.float32(2.5) * local + phases.reshape(3, 1, 1, 1)).sum(axis=0)
        return np.asarray(np.sqrt((local**2).sum(axis=0)) + dents <= 1)

    reach = half_axes.max() * (1 + 3 * _DENT) + 1.5 * _BEND + 8  # 8: the trunk's own shift
    box = []
    for axis, middle in zip(grid, centre, strict=True):
        within = np.flatnonzero(np.abs(axis.ravel() - middle) <= reach)
        box.append(slice(within[0], within[-1] + 1) if within.size else slice(0))
    return tuple(box), inside


def _oval(x: NDArray[np.float32], y: NDArray[np.float32]) -> NDArray[np.float32]:
    """A trunk's cross-section, squarer than an ellipse: below 1 inside of half axes 1."""
    x, y = x * x, y * y
    return np.asarray(np.sqrt(np.sqrt(x * x + y * y + np.float32(1.2) * x * y)))  # 2 in place of 1.2: an ellipse


def _warped(grid: Grid, random: np.random.Generator) -> Grid:
    """Bend the coordinates smoothly: each is shifted by one wave of up to ``_BEND / 2`` mm along every axis."""
    phases = random.uniform(0, 2 * np.pi, size=(3, 3)).astype(np.float32)
    frequencies = (2 * np.pi / random.uniform(120, 240, size=(3, 3))).astype(np.float32)
    x, y, z = (
        coordinate
        + sum(
            np.float32(_BEND / 2) * np.sin(axis * frequency + phase)
            for axis, frequency, phase in zip(grid, row, offsets, strict=True)
        )
        for coordinate, row, offsets in zip(grid, frequencies, phases, strict=True)
    )
    return x, y, z
