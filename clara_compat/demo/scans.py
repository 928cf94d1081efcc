"""Write synthetic CT scans with their labels as a data set in the Medical Decathlon's layout."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from clara_compat.demo.anatomy import FIELD_OF_VIEW, SPLEEN, draw_anatomy
from clara_compat.demo.dataset import SPLITS, Case, checked_counts, make_dataset

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["make_scan", "make_scans"]

_VERSION = 4  # of what is drawn; a change makes old folders be made again
_STORED_OFFSET = 1024  # stored value = HU + 1024, as scanners do; the header's scl_inter undoes it
_NOISE = 18.0  # HU
_DESCRIPTION = {
    "name": "Synthetic spleen",
    "description": "Synthetic upper-abdominal CT with a labelled spleen, made by clara_compat",
    "licence": "Apache-2.0",
    "tensorImageSize": "3D",
    "modality": {"0": "CT"},
    "labels": {"0": "background", "1": "spleen"},
}


def make_scans(
    folder: str | os.PathLike[str],
    *,
    training: int = 64,
    validation: int = 4,
    testing: int = 4,
    size: Sequence[int] = (80, 80, 40),
    seed: int = 0,
) -> Path:
    """Make a data set and return the path of its ``dataset.json``.

    The same parameters give the same voxels; :func:`~clara_compat.demo.dataset.make_dataset` says what happens in a
    folder that already holds some.

    Args:
        folder: where to write ``dataset.json``, ``imagesTr`` and ``labelsTr``; created when missing.
        training: number of training scans.
        validation: number of scans that choose the best model.
        testing: number of scans that nothing of a training sees. No scan depends on how many others there are.
        size: voxels per scan along each axis; the voxels' size follows from the field of view.
        seed: seed of everything that varies.

    Raises:
        ValueError: a number of scans below zero, none at all, or a size that is not three numbers of at least 8.
    """
    counts = checked_counts(training, validation, testing)
    if len(size) != 3 or min(size) < 8:
        raise ValueError(f"size must be three numbers of at least 8 voxels, got {tuple(size)}")
    parameters = {"version": _VERSION, **counts, "size": list(size), "seed": seed}
    return make_dataset(folder, list(_cases(counts, size, seed)), parameters, _DESCRIPTION)


def make_scan(
    size: Sequence[int], random: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.uint8], NDArray[np.float64]]:
    """Make one scan.

    Args:
        size: voxels along each axis.
        random: source of everything that varies.

    Returns:
        Image in HU, label (1 in the organ) and affine (voxel index to RAS mm): anisotropic, shifted, and with each
        axis running towards either end.
    """
    from scipy.ndimage import gaussian_filter

    spacing = np.asarray(FIELD_OF_VIEW) / size * random.uniform((0.95, 0.95, 0.93), (1.05, 1.05, 1.07))
    spacing[1] = spacing[0] * size[0] / size[1]  # the voxels of a slice are square when the slice is
    signs = np.where(random.random(3) < (0.4, 0.4, 0.25), -1.0, 1.0)
    steps = signs * spacing
    middle = (np.asarray(size) - 1) / 2
    grid = np.meshgrid(
        *(((np.arange(n) - m) * step).astype(np.float32) for n, m, step in zip(size, middle, steps, strict=True)),
        indexing="ij",
        sparse=True,
    )
    anatomy = draw_anatomy((grid[0], grid[1], grid[2]), random)
    blur = np.asarray((0.55, 0.55, 0.4))
    image = gaussian_filter(anatomy.hounsfield, blur)  # edges are shared between voxels, as in a scanner
    noise = gaussian_filter(random.standard_normal(image.shape, dtype=np.float32), blur)
    image += noise * (_NOISE / noise.std())
    image += sum(
        4.0 * np.sin(axis * np.float32(2 * np.pi / random.uniform(300, 500)) + random.uniform(0, 2 * np.pi))
        for axis in grid
    )
    affine = np.diag([*steps, 1.0])
    affine[:3, 3] = -steps * middle + random.uniform((-30, -30, -600), (30, 30, 200))
    return np.maximum(image, -1024.0), (anatomy.tissue == SPLEEN).astype(np.uint8), affine


def _cases(counts: dict[str, int], size: Sequence[int], seed: int) -> Iterator[Case]:
    for number, split in enumerate(SPLITS):
        for index in range(counts[split]):
            name = f"ct_{split}_{index:03d}.nii.gz"
            item = {"image": f"imagesTr/{name}", "label": f"labelsTr/{name}"}
            write = partial(_write_scan, size=size, seed=[index, number, seed])
            yield Case(split, item, list(item.values()), write)


def _write_scan(image_file: Path, label_file: Path, size: Sequence[int], seed: list[int]) -> None:
    import nibabel

    hounsfield, label, affine = make_scan(size, np.random.default_rng(seed))
    image = nibabel.Nifti1Image(np.rint(hounsfield + _STORED_OFFSET).astype(np.int16), affine)
    image.header.set_slope_inter(1.0, -_STORED_OFFSET)
    for file, nifti in ((image_file, image), (label_file, nibabel.Nifti1Image(label, affine))):
        nifti.header.set_xyzt_units("mm", "sec")
        nibabel.save(nifti, file)
