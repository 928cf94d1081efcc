"""Read a scan by what its path is: a folder with a DICOM series, MetaImage, NRRD, or else NIfTI."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from clara_compat.engine.orientation import reoriented
from clara_compat.engine.readers.dicom import dicom_header, read_dicom
from clara_compat.engine.readers.itk_files import ITK_SUFFIXES, itk_header, read_itk
from clara_compat.engine.readers.nifti import nifti_header, read_nifti
from clara_compat.engine.readers.volume import Header, Volume
from clara_compat.errors import ClaraError

__all__ = ["read_scan", "scan_header"]


def read_scan(path: str, dtype: Any, nii_is_channels_first: bool = False, as_closest_canonical: bool = False) -> Volume:
    """Read a scan.

    Args:
        path: the file or folder.
        dtype: numpy data type of the result.
        nii_is_channels_first: the channels of a NIfTI file of four axes are its first axis.
        as_closest_canonical: flip and swap axes so that they run as close as possible to right, anterior, superior.

    Raises:
        ClaraError: it is missing, damaged or of another kind, or cannot be re-oriented.
    """
    if os.path.isdir(path):  # noqa: PTH112 -- Path.is_dir raises where a folder may not be entered
        volume = read_dicom(path, dtype)
    elif path.lower().endswith(ITK_SUFFIXES):
        volume = read_itk(path, dtype)
    else:
        volume = read_nifti(path, dtype, nii_is_channels_first)
    if not as_closest_canonical:
        return volume
    data, affine, order = _canonical(path, volume.data, volume.affine)
    return volume._replace(data=data, affine=affine, spacing=_ordered(volume.spacing, order))


def scan_header(path: str, nii_is_channels_first: bool = False, as_closest_canonical: bool = False) -> Header:
    """Return what the header says of what :func:`read_scan` gives, without reading the voxels.

    Args:
        path: the file, or the folder of a DICOM series.
        nii_is_channels_first: of a NIfTI file of four axes the first is the channel.
        as_closest_canonical: the axes are turned to run to the right, front and head.

    Raises:
        ClaraError: as :func:`read_scan`, as far as the header goes.
    """
    if os.path.isdir(path):  # noqa: PTH112 -- Path.is_dir raises where a folder may not be entered
        header = dicom_header(path)
    elif path.lower().endswith(ITK_SUFFIXES):
        header = itk_header(path)
    else:
        header = nifti_header(path, nii_is_channels_first)
    if not as_closest_canonical:
        return header
    _, affine, order = _canonical(path, np.broadcast_to(np.uint8(0), (1, *header.size)), header.affine)
    return header._replace(size=_ordered(header.size, order), spacing=_ordered(header.spacing, order), affine=affine)


def _canonical(path: str, data: Any, affine: Any) -> tuple[Any, Any, list[int]]:
    try:
        return reoriented(data, affine)
    except ClaraError as error:
        raise ClaraError(f"'{path}' cannot be re-oriented: {error}") from None


def _ordered(values: Sequence[Any], order: Sequence[int]) -> tuple[Any, ...]:
    return tuple(values[axis] for axis in order)
