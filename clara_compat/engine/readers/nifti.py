"""Read NIfTI files."""

from __future__ import annotations

import gzip
import math
import os
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError

from clara_compat.common.constants import ImageProperty
from clara_compat.common.files import is_empty
from clara_compat.engine.readers.limits import GZIP, HEADER, announced_bytes, check_memory, unpacked
from clara_compat.engine.readers.volume import Header, Volume, reading
from clara_compat.errors import ClaraError

__all__ = ["PLANE", "nifti_header", "read_nifti"]

PLANE = "HWC"
"""``intent_name`` of a file (x, y, 1, C) that is a plane with channels, not a volume of one slice."""

_EXPECTED = "a NIfTI file (.nii or .nii.gz)"
_GZIP = b"\x1f\x8b"
_UNREADABLE = (ImageFileError, HeaderDataError, EOFError, OSError, zlib.error, ValueError, TypeError, OverflowError)


def read_nifti(path: str, dtype: Any, channels_first: bool = False) -> Volume:
    """Read a NIfTI file.

    A file of 3 axes is ``DHW``, one of 2 axes ``HW``; the fourth axis is the channels (``DHWC``) unless
    ``channels_first`` (``CDHW``). Of five axes, the fourth or the fifth must be of length 1 and is left out. A plane
    with channels, as :func:`~clara_compat.engine.writers.nifti.write_nifti` marks it, is ``HWC``.

    Args:
        path: the file.
        dtype: numpy data type of the result.
        channels_first: the channels of a file of four axes are its first axis.

    Raises:
        ClaraError: the file is missing, damaged or not NIfTI, or has an unsupported number of axes.
    """
    with reading(path, _EXPECTED, _UNREADABLE, lambda error: _damage(path, error)):
        image = _open(path)
        _check_kind(path, image)
        check_memory(path, math.prod(image.shape) * np.dtype(dtype).itemsize)
        array = np.asanyarray(image.dataobj, dtype=dtype)
    shape = _shape(path, array.shape)
    array = array.reshape(shape)
    shape_format = ("HW", "DHW", "CDHW" if channels_first else "DHWC")[len(shape) - 2]
    spacing = _spacing(image, shape)
    if not channels_first and _is_plane(image, shape):
        array, shape_format, spacing = array[:, :, 0], "HWC", spacing[:2]
    if "C" not in shape_format:
        array = array[np.newaxis]
    elif not channels_first:
        array = np.moveaxis(array, -1, 0)
    affine = np.array(image.affine, dtype=np.float64)
    return Volume(array, shape_format, affine, affine.copy(), spacing, ImageProperty.NIFTI_FORMAT)


def nifti_header(path: str, channels_first: bool = False) -> Header:
    """Return what the header says, without reading the voxels.

    Args:
        path: the file.
        channels_first: of a file of four axes the first is the channel, else the last.

    Raises:
        ClaraError: as :func:`read_nifti`, as far as the header goes.
    """
    with reading(path, _EXPECTED, _UNREADABLE, lambda error: _damage(path, error)):
        image = _open_header(path)
        _check_kind(path, image)
    shape = _shape(path, image.shape)
    spacing = _spacing(image, shape)
    affine = np.array(image.affine, dtype=np.float64)
    if len(shape) < 4:
        return Header(shape, spacing, 1, affine)
    if channels_first:
        return Header(shape[1:], spacing, shape[0], affine)
    rank = 2 if _is_plane(image, shape) else 3
    return Header(shape[:rank], spacing[:rank], shape[3], affine)


def _check_kind(path: str, image: Any) -> None:
    if not isinstance(image, nibabel.Nifti1Pair):
        raise ClaraError(f"'{path}' is a {type(image).__name__}, expected {_EXPECTED}")


def _shape(path: str, found: Sequence[int]) -> tuple[int, ...]:
    shape = tuple(int(n) for n in found)
    if 0 in shape or not 2 <= len(shape) <= 5:
        raise ClaraError(f"'{path}' has the shape {shape}, expected an image of 2 to 4 axes")
    if len(shape) < 5:
        return shape
    if shape[4] == 1:
        return shape[:4]
    if shape[3] != 1:
        raise ClaraError(
            f"'{path}' has the shape {shape}: time series are not supported, expected a fourth or a fifth axis of 1"
        )
    return (*shape[:3], shape[4])


def _is_plane(image: Any, shape: tuple[int, ...]) -> bool:
    marked = image.header["intent_name"].item().decode("ascii", "replace") == PLANE
    return marked and len(shape) == 4 and shape[2] == 1


def _spacing(image: Any, shape: tuple[int, ...]) -> tuple[float, ...]:
    return tuple(abs(float(zoom)) for zoom in image.header.get_zooms()[: min(len(shape), 3)])


def _open(path: str) -> Any:
    """Open a file; a gzipped one is unpacked whole.

    ``nibabel.load`` reads a gzipped stream just as far as it needs to, so its checksum is never compared and a damaged
    file gives wrong voxels without a word; unpacking it whole is also faster. How long it may be, its header says.
    """
    with Path(path).open("rb") as stream:
        start = stream.read(HEADER)
        if start[:2] != _GZIP:
            _check_length(announced_bytes(start), os.fstat(stream.fileno()).st_size)
            return nibabel.load(path)
        check_memory(path, os.fstat(stream.fileno()).st_size)
        stream.seek(0)
        packed = stream.read()
    start = zlib.decompressobj(GZIP).decompress(packed, HEADER)
    announced = announced_bytes(start) or 0
    check_memory(path, announced)
    content = unpacked(packed, announced)
    _check_length(announced, len(content))
    return _kind(content[:4]).from_bytes(content)


def _check_length(announced: int | None, length: int) -> None:
    """Find what is cut off before memory is taken for all that the header announces."""
    if announced is not None and length < announced:
        raise EOFError(f"{length} of {announced} bytes are there")


def _open_header(path: str) -> Any:
    """Open a file, of which the voxels are not read; gzipped or not is told by its beginning, not by its name."""
    with Path(path).open("rb") as stream:
        if stream.read(2) != _GZIP:
            return nibabel.load(path)
        stream.seek(0)
        unpacked = gzip.GzipFile(fileobj=stream)
        kind = _kind(unpacked.read(4))
        unpacked.seek(0)
        return kind.from_stream(unpacked)


def _kind(start: bytes) -> Any:
    sizes = [int.from_bytes(start, order) for order in ("little", "big")]
    return nibabel.Nifti2Image if HEADER in sizes else nibabel.Nifti1Image


def _damage(path: str, error: BaseException) -> str:
    reason = " ".join(str(error).split())
    if is_empty(path):
        return "the file is empty"
    if isinstance(error, EOFError) or (isinstance(error, OSError) and reason.startswith("Expected ")):
        return f"the file is cut off ({reason})"
    if isinstance(error, (ImageFileError, HeaderDataError)):
        return f"it is not a NIfTI file, or its header is damaged ({reason})"
    return f"the file is damaged ({reason})"
