"""Read a folder that holds one DICOM series, with ITK (GDCM); it is imported when the first such folder is read."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from clara_compat.engine.readers.itk_files import itk_affine, itk_volume
from clara_compat.engine.readers.limits import check_memory
from clara_compat.engine.readers.volume import Header, Volume, reading, reason
from clara_compat.errors import ClaraError

__all__ = ["Series", "dicom_header", "find_series", "read_dicom"]

_EXPECTED = "a folder with one DICOM series"
_MAGIC_AT, _MAGIC = 128, b"DICM"
_MOST_FILES = 20_000
"""In a folder: each is opened, whatever it is."""
_UNEVEN = 0.1  # of the mean step: far above the rounding of positions, far below a missing slice


class Series(NamedTuple):
    """The files of a series along its normal, and its geometry.

    Attributes:
        files: one per slice, or one that holds all slices.
        size: columns, rows, slices.
        spacing: mm.
        affine: from voxel indices to RAS mm (4x4).
    """

    files: list[str]
    size: tuple[int, ...]
    spacing: tuple[float, ...]
    affine: np.ndarray[Any, Any]


class _Slice(NamedTuple):
    """What the header of one file says, in ITK's frame (LPS)."""

    size: tuple[int, ...]
    spacing: tuple[float, ...]
    direction: np.ndarray[Any, Any]
    origin: np.ndarray[Any, Any]
    components: int


def read_dicom(folder: str, dtype: Any) -> Volume:
    """Read the series: axes x, y, z (slices along the normal), values in the modality's units, affine in RAS mm.

    The third axis runs from slice to slice, so the affine is also right for a tilted gantry.

    Args:
        folder: where the slices are.
        dtype: of the array.

    Raises:
        ClaraError: the folder holds no DICOM files, several series, slices of unlike planes or at uneven distances, or
            a damaged file.
    """
    import itk

    with reading(folder, _EXPECTED, (RuntimeError, OSError, MemoryError), _damage):
        found = find_series(folder)
        check_memory(folder, 2 * math.prod(found.size) * np.dtype(dtype).itemsize)
        image_type = itk.Image[itk.F if np.dtype(dtype) == np.float32 else itk.D, 3]
        reader = itk.ImageSeriesReader[image_type].New(FileNames=found.files)
        reader.Update()
    volume = itk_volume(reader.GetOutput(), dtype, "dicom")
    return volume._replace(affine=found.affine, original_affine=found.affine.copy(), spacing=found.spacing)


def dicom_header(folder: str) -> Header:
    """Return what the slices' headers say, without reading the voxels.

    Args:
        folder: where the slices are.

    Raises:
        ClaraError: as :func:`read_dicom`, as far as the headers go.
    """
    with reading(folder, _EXPECTED, (RuntimeError, OSError), _damage):
        found = find_series(folder)
    return Header(found.size, found.spacing, 1, found.affine)


def find_series(folder: str) -> Series:
    """Return the folder's one series.

    Args:
        folder: where the slices are.

    Raises:
        ClaraError: as :func:`read_dicom`, as far as the headers go.
        RuntimeError: ITK cannot read a file.
    """
    import itk

    entries = itertools.islice(Path(folder).iterdir(), _MOST_FILES + 1)
    if sum(1 for _ in entries) > _MOST_FILES:  # this raises where the folder may not be read, which GDCM does not
        raise ClaraError(
            f"'{folder}' holds more than {_MOST_FILES:,} files, expected {_EXPECTED}: move the others away"
        )
    names = itk.GDCMSeriesFileNames.New()
    names.SetUseSeriesDetails(True)
    names.SetDirectory(folder)
    found = names.GetSeriesUIDs()
    if not found:
        raise ClaraError(f"'{folder}' is a folder without DICOM files in it, expected a NIfTI file or {_EXPECTED}")
    if len(found) > 1:
        raise ClaraError(f"'{folder}' holds {len(found)} DICOM series, expected one: put each into a folder of its own")
    files = [str(file) for file in names.GetFileNames(found[0])]
    _check_nothing_was_skipped(folder, files)
    slices = [_slice(file) for file in files]
    first = slices[0]
    for each, file in zip(slices, files, strict=True):
        if each.components != 1:
            raise ClaraError(f"'{file}' is in colour, expected one value per voxel")
        if each.size != first.size or not np.allclose(each.direction, first.direction, atol=1e-3):
            raise ClaraError(
                f"the slices in '{folder}' are not of one volume: '{file}' has another size or direction than "
                f"'{files[0]}'"
            )
    if len(files) == 1:
        step, count = first.direction[2] * first.spacing[2], first.size[2]
    else:
        step, count = _step(folder, slices), len(files)
    distance = float(np.linalg.norm(step))
    spacing = (*first.spacing[:2], distance)
    direction = np.column_stack([first.direction[0], first.direction[1], step / distance])
    return Series(files, (*first.size[:2], count), spacing, itk_affine(direction, spacing, first.origin))


def _check_nothing_was_skipped(folder: str, files: list[str]) -> None:
    """GDCM passes over what it cannot read as an image: a damaged last slice would go unnoticed."""
    used = {Path(file).name for file in files}
    for path in sorted(Path(folder).iterdir()):
        if path.name in used or path.name.upper() == "DICOMDIR" or not path.is_file():
            continue
        with path.open("rb") as stream:
            stream.seek(_MAGIC_AT)
            is_dicom = stream.read(len(_MAGIC)) == _MAGIC
        if is_dicom or (path.suffix.lower() == ".dcm" and not path.name.startswith(".")):
            raise ClaraError(f"'{path}' is a DICOM file that is damaged or no image: mend it or take it away")


def _slice(file: str) -> _Slice:
    import itk

    header = itk.GDCMImageIO.New(FileName=file)
    header.ReadImageInformation()
    axes = range(3)
    return _Slice(
        size=tuple(header.GetDimensions(i) for i in axes),
        spacing=tuple(header.GetSpacing(i) for i in axes),
        direction=np.array([header.GetDirection(i) for i in axes]),
        origin=np.array([header.GetOrigin(i) for i in axes]),
        components=header.GetNumberOfComponents(),
    )


def _step(folder: str, slices: Sequence[_Slice]) -> np.ndarray[Any, Any]:
    """Return the way from one slice to the next (LPS mm), which must be the same between any two."""
    steps = np.diff([each.origin for each in slices], axis=0)
    mean = steps.mean(axis=0)
    distances = np.linalg.norm(steps, axis=1)
    if slices[0].size[2] != 1 or np.linalg.norm(steps - mean, axis=1).max() >= _UNEVEN * np.linalg.norm(mean):
        raise ClaraError(
            f"the slices in '{folder}' lie {distances.min():.4g} to {distances.max():.4g} mm apart, expected one "
            "distance: slices are missing, or there is more than one volume"
        )
    return mean


def _damage(error: BaseException) -> str:
    return f"a DICOM file in it is damaged ({reason(error)})"
