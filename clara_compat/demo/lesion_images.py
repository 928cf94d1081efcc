"""Write pictures and volumes with or without lesions as data sets for classification."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from clara_compat.demo.dataset import SPLITS, Case, checked_counts, make_dataset
from clara_compat.demo.lesions import LESIONS, Lesion, draw_tissue

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["make_pictures", "make_volumes"]

_VERSION = 1  # of what is drawn; a change makes old folders be made again
_EXTENT = 64.0  # mm, of a volume along each axis
_AIR, _RANGE = -1000, 1300  # HU: what is drawn as 0, and how much more is drawn as 1
_STORED_OFFSET = 1024  # stored value = HU + 1024, as scanners do; the header's scl_inter undoes it


def make_pictures(
    folder: str | os.PathLike[str],
    *,
    training: int = 240,
    validation: int = 48,
    testing: int = 64,
    size: Sequence[int] = (88, 112),
    seed: int = 0,
) -> Path:
    """Make grey PNG files with two labels each and return the path of their ``dataset.json``.

    ``label`` is a list of two numbers: 1 when there is a solid lesion, 1 when there is a hollow one. All four
    combinations are equally frequent. The same parameters give the same files.

    Args:
        folder: see :func:`~clara_compat.demo.dataset.make_dataset`.
        training: number of training pictures.
        validation: number of pictures that choose the best model.
        testing: number of pictures that nothing of a training sees. None depends on how many others there are.
        size: least and largest number of pixels along an axis; drawn for each picture and axis.
        seed: seed of everything that varies.

    Raises:
        ValueError: a number of pictures below zero, none at all, or a size that is too small or not in order.
    """
    counts = checked_counts(training, validation, testing)
    _check_size(size)
    parameters = {"version": _VERSION, "kind": "pictures", **counts, "size": list(size), "seed": seed}
    description = {
        "name": "Synthetic lesions in pictures",
        "description": "Synthetic pictures with solid and hollow lesions, made by clara_compat",
        "licence": "Apache-2.0",
        "tensorImageSize": "2D",
        "labels": {"0": "solid lesion", "1": "hollow lesion"},
        "label_format": [1, 1],
    }
    return make_dataset(folder, list(_pictures(counts, size, seed)), parameters, description)


def make_volumes(
    folder: str | os.PathLike[str],
    *,
    training: int = 144,
    validation: int = 48,
    testing: int = 48,
    size: Sequence[int] = (36, 44),
    seed: int = 0,
) -> Path:
    """Make CT-like NIfTI files with one label each and return the path of their ``dataset.json``.

    ``label`` is a list of one number: 0 without a lesion, 1 with a solid one, 2 with a hollow one, all equally
    frequent. The same parameters give the same voxels.

    Args:
        folder: see :func:`~clara_compat.demo.dataset.make_dataset`.
        training: number of training volumes.
        validation: number of volumes that choose the best model.
        testing: number of volumes that nothing of a training sees. None depends on how many others there are.
        size: least and largest number of voxels along an axis; drawn for each volume and axis.
        seed: seed of everything that varies.

    Raises:
        ValueError: a number of volumes below zero, none at all, or a size that is too small or not in order.
    """
    counts = checked_counts(training, validation, testing)
    _check_size(size)
    parameters = {"version": _VERSION, "kind": "volumes", **counts, "size": list(size), "seed": seed}
    description = {
        "name": "Synthetic lesions in volumes",
        "description": "Synthetic CT of lung tissue with a solid lesion, a hollow one or none, made by clara_compat",
        "licence": "Apache-2.0",
        "tensorImageSize": "3D",
        "modality": {"0": "CT"},
        "labels": {"0": "no lesion", "1": "solid lesion", "2": "hollow lesion"},
        "label_format": [1 + len(LESIONS)],
    }
    return make_dataset(folder, list(_volumes(counts, size, seed)), parameters, description)


def _check_size(size: Sequence[int]) -> None:
    if len(size) != 2 or not 16 <= size[0] <= size[1]:
        raise ValueError(f"size must be a least and a largest number of voxels, at least 16, got {tuple(size)}")


def _pictures(counts: dict[str, int], size: Sequence[int], seed: int) -> Iterator[Case]:
    for number, split in enumerate(SPLITS):
        for index in range(counts[split]):
            label = [index % 2, index // 2 % 2]
            file = f"images/{split}_{index:03d}.png"
            lesions = [lesion for lesion, there in zip(LESIONS, label, strict=True) if there]
            write = partial(_write_picture, lesions=lesions, size=size, seed=[index, number, seed])
            yield Case(split, {"image": file, "label": label}, [file], write)


def _volumes(counts: dict[str, int], size: Sequence[int], seed: int) -> Iterator[Case]:
    for number, split in enumerate(SPLITS):
        for index in range(counts[split]):
            label = index % (1 + len(LESIONS))
            file = f"images/{split}_{index:03d}.nii.gz"
            lesions = LESIONS[label - 1 : label] if label else ()
            write = partial(_write_volume, lesions=lesions, size=size, seed=[index, number, seed])
            yield Case(split, {"image": file, "label": [label]}, [file], write)


def _write_picture(file: Path, lesions: Sequence[Lesion], size: Sequence[int], seed: list[int]) -> None:
    from PIL import Image

    image = _draw(2, lesions, size, seed)[0]
    Image.fromarray(np.rint(255 * image).astype(np.uint8)).save(file, format="PNG")


def _write_volume(file: Path, lesions: Sequence[Lesion], size: Sequence[int], seed: list[int]) -> None:
    import nibabel

    image, random = _draw(3, lesions, size, seed)
    spacing = _EXTENT / np.array(image.shape) * random.uniform(0.95, 1.05)
    affine = np.diag([*(spacing * np.where(random.random(3) < 0.5, -1.0, 1.0)), 1.0])
    affine[:3, 3] = random.uniform(-50, 50, size=3)
    nifti = nibabel.Nifti1Image(np.rint(_AIR + _RANGE * image + _STORED_OFFSET).astype(np.int16), affine)
    nifti.header.set_slope_inter(1.0, -_STORED_OFFSET)
    nifti.header.set_xyzt_units("mm", "sec")
    nibabel.save(nifti, file)


def _draw(
    dims: int, lesions: Sequence[Lesion], size: Sequence[int], seed: list[int]
) -> tuple[NDArray[np.float32], np.random.Generator]:
    """Return an image and the generator it was drawn with."""
    random = np.random.default_rng(seed)
    shape = random.integers(size[0], size[1] + 1, size=dims)
    return draw_tissue([int(n) for n in shape], lesions, random), random
