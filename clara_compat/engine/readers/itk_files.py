"""Read MetaImage and NRRD files with ITK; it is imported when the first such file is read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from clara_compat.common.files import is_empty
from clara_compat.engine.readers.intact import check_intact
from clara_compat.engine.readers.limits import check_memory
from clara_compat.engine.readers.named_files import check_named_files
from clara_compat.engine.readers.volume import Header, Volume, reading, reason
from clara_compat.errors import ClaraError

__all__ = ["ITK_SUFFIXES", "itk_affine", "itk_header", "itk_volume", "read_itk"]

ITK_SUFFIXES = (".mha", ".mhd", ".nrrd", ".nhdr")

_EXPECTED = f"a {', '.join(ITK_SUFFIXES)} file"
_SCALARS = {"unsigned_char": "UC", "char": "SS", "short": "SS", "unsigned_short": "US", "int": "SI",
            "unsigned_int": "UI", "float": "F"}  # fmt: skip
_VECTORS = {"unsigned_char": "UC", "char": "SS", "short": "SS", "unsigned_short": "US", "float": "F"}
"""ITK's Python types that hold a file's component type; double holds all others (64-bit integers up to 2**53)."""


def read_itk(path: str, dtype: Any) -> Volume:
    """Read a file with ITK: axes in the order x, y(, z), affine in RAS mm (ITK's own frame is LPS).

    Several values per voxel are channels (``DHWC``, ``HWC``).

    Args:
        path: the file, of any format ITK knows.
        dtype: numpy data type of the result.

    Raises:
        ClaraError: the file is missing or damaged, or has other than 2 or 3 axes.
    """
    import itk

    with reading(path, _EXPECTED, (RuntimeError, OSError, MemoryError), lambda error: _damage(path, error)):
        information = _information(path)
        dims, components = information.GetNumberOfDimensions(), information.GetNumberOfComponents()
        voxels = math.prod(information.GetDimensions(i) for i in range(dims)) * components
        check_memory(path, voxels * (information.GetComponentSize() + np.dtype(dtype).itemsize))
        _check_intact(path)
        kind = information.GetComponentTypeAsString(information.GetComponentType())
        name, types = ("Image", _SCALARS) if components == 1 else ("VectorImage", _VECTORS)
        image_type = getattr(itk, name)[getattr(itk, types.get(kind, "D")), dims]
        reader = itk.ImageFileReader[image_type].New(FileName=path)
        reader.Update()
    return itk_volume(reader.GetOutput(), dtype, Path(path).suffix.lower().lstrip("."))


def itk_header(path: str) -> Header:
    """Return what the header says, without reading the voxels.

    Args:
        path: the file.

    Raises:
        ClaraError: as :func:`read_itk`, as far as the header goes.
    """
    with reading(path, _EXPECTED, (RuntimeError, OSError), lambda error: _damage(path, error)):
        found = _information(path)
    axes = range(found.GetNumberOfDimensions())
    spacing = tuple(found.GetSpacing(i) for i in axes)
    direction = np.transpose([found.GetDirection(i) for i in axes])
    affine = itk_affine(direction, spacing, [found.GetOrigin(i) for i in axes])
    return Header(tuple(found.GetDimensions(i) for i in axes), spacing, found.GetNumberOfComponents(), affine)


def itk_volume(image: Any, dtype: Any, file_format: str) -> Volume:
    """Return a copy of an ITK image, its axes reversed to x, y(, z).

    Args:
        image: of ITK.
        dtype: of the array.
        file_format: name of the format, for messages.
    """
    import itk

    array = np.array(itk.array_view_from_image(image).T, dtype=dtype, order="C")
    spacing = [float(step) for step in image.GetSpacing()]
    affine = itk_affine(itk.array_from_matrix(image.GetDirection()), spacing, list(image.GetOrigin()))
    layout = "DHW" if len(spacing) == 3 else "HW"
    if image.GetNumberOfComponentsPerPixel() == 1:
        array = array[np.newaxis]
    else:
        layout += "C"
    return Volume(array, layout, affine, affine.copy(), tuple(spacing), file_format)


def itk_affine(direction: Any, spacing: Sequence[float], origin: Any) -> np.ndarray[Any, Any]:
    """Return the affine (4x4) from voxel indices to RAS mm of an ITK geometry of 2 or 3 axes.

    Args:
        direction: (rank, rank), of LPS axes.
        spacing: mm per voxel, for each axis.
        origin: of the first voxel, mm in LPS.
    """
    dims = len(spacing)
    affine = np.eye(4)
    affine[:dims, :dims] = np.asarray(direction) @ np.diag(spacing)
    affine[:dims, 3] = origin
    return np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine


def _information(path: str) -> Any:
    import itk

    Path(path).open("rb").close()  # ITK's own messages for a missing file do not say so
    check_named_files(path)
    found = itk.ImageIOFactory.CreateImageIO(path, itk.CommonEnums.IOFileMode_ReadMode)
    if found is None:
        raise RuntimeError("its beginning is of no format that ITK knows")
    found.SetFileName(path)
    found.ReadImageInformation()
    size = tuple(found.GetDimensions(i) for i in range(found.GetNumberOfDimensions()))
    if len(size) not in (2, 3) or 0 in size:
        raise ClaraError(f"'{path}' has the shape {size}, expected an image of 2 or 3 axes")
    return found


def _check_intact(path: str) -> None:
    try:
        check_intact(Path(path))
    except ClaraError as error:
        raise ClaraError(f"'{path}' cannot be read: {error.message}") from error


def _damage(path: str, error: BaseException) -> str:
    if is_empty(path):
        return "the file is empty"
    return f"it is not the {Path(path).suffix} file its name says, or it is damaged ({reason(error)})"
