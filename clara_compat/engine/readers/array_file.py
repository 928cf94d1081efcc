"""Read numpy's ``.npy`` files; never a pickle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from clara_compat.common.shape_format import ShapeFormat
from clara_compat.engine.readers.limits import check_memory
from clara_compat.engine.readers.volume import Header, Volume, plain_header, plain_volume, reading, reason
from clara_compat.errors import ClaraError

__all__ = ["array_header", "read_array"]

_EXPECTED = "a numpy file (.npy)"
_UNREADABLE = (OSError, ValueError, EOFError, SyntaxError, MemoryError)
_PICKLE = b"\x80"


def read_array(path: str, shape_format: str, dtype: Any) -> Volume:
    """Read an array whose axes ``shape_format`` names; its affine is the identity, its spacing 1.

    Args:
        path: the file.
        shape_format: layout of the array, without N.
        dtype: numpy data type of the result.

    Raises:
        ClaraError: the file is missing, damaged, holds Python objects or several arrays, or its array has other axes.
    """
    layout = ShapeFormat(shape_format)
    with reading(path, _EXPECTED, _UNREADABLE, lambda error: _damage(path, error)):
        mapped = _mapped(path, layout)
        check_memory(path, mapped.size * np.dtype(dtype).itemsize)
        array = np.array(mapped, dtype=dtype, order="C")  # a copy: the view would keep the file open
    if not layout.is_channeled():
        return plain_volume(array[np.newaxis], shape_format, "npy")
    return plain_volume(np.moveaxis(array, layout.get_channel_axis(), 0), shape_format, "npy")


def array_header(path: str, shape_format: str) -> Header:
    """Return the size, without reading the values.

    Args:
        path: the file.
        shape_format: layout of the array in it.

    Raises:
        ClaraError: as :func:`read_array`.
    """
    layout = ShapeFormat(shape_format)
    with reading(path, _EXPECTED, _UNREADABLE, lambda error: _damage(path, error)):
        shape = list(_mapped(path, layout).shape)
    channels = shape.pop(layout.get_channel_axis()) if layout.is_channeled() else 1
    return plain_header(tuple(shape), channels)


def _mapped(path: str, layout: ShapeFormat) -> np.ndarray[Any, Any]:
    """Return the array as a view of the file, checked against ``layout``."""
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    if not isinstance(array, np.ndarray):
        array.close()
        raise ClaraError(f"'{path}' holds several arrays (.npz), expected {_EXPECTED}: save each with numpy.save")
    if array.dtype.kind not in "biuf":
        raise ClaraError(f"'{path}' holds values of type {array.dtype}, expected numbers")
    if array.ndim != layout.get_number_of_dims() or array.size == 0:
        raise ClaraError(
            f"'{path}' holds an array of shape {array.shape}, but shape format {layout} has "
            f"{layout.get_number_of_dims()} axes: set 'shape' to what the axes of the files are"
        )
    return array


def _damage(path: str, error: BaseException) -> str:
    with Path(path).open("rb") as stream:
        start = stream.read(1)
    if not start:
        return "the file is empty"
    if start == _PICKLE or "Python objects" in str(error):
        return "it holds Python objects (a pickle), which can run any code and is never loaded: save plain numbers"
    return f"it is not {_EXPECTED}, or it is damaged ({reason(error)})"
