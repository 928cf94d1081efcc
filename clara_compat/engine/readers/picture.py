"""Read PNG and JPEG files: rows stay rows."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from clara_compat.common.files import is_empty
from clara_compat.engine.readers.itk_files import read_itk
from clara_compat.engine.readers.volume import Header, Volume, plain_header, plain_volume, reading, reason

__all__ = ["picture_header", "read_picture"]

_EXPECTED = "a PNG or JPEG file"
_FORMATS = ("PNG", "JPEG")
_UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, Image.DecompressionBombError)
_GREY_MODES = ("1", "L", "LA", "I", "I;16")
_DEEP_CHANNELS = {2: 3, 4: 1, 6: 3}
"""What is kept of a PNG file of 16 bits per sample, by colour type: RGB, grey of grey with alpha, RGB of RGBA."""
_EXIF_ORIENTATION = 0x0112
_LYING = (5, 6, 7, 8)  # orientations that swap rows and columns


def read_picture(path: str, dtype: Any, palette_indices: bool = False) -> Volume:
    """Read a picture as OpenCV lays it out: (H, W) of grey values, or (H, W, 3) of red, green and blue.

    Values keep their 8 or 16 bits, 1-bit files have 0 and 255. An alpha channel is left out, a palette is replaced by
    its colours, and a JPEG file is turned as its EXIF orientation says: all of it as OpenCV reads a colour image.

    Args:
        path: the file.
        dtype: numpy data type of the result.
        palette_indices: take the indices of a file with a palette instead of its colours: a mask holds classes there.

    Raises:
        ClaraError: the file is missing, damaged, or neither PNG nor JPEG.
    """
    with reading(path, _EXPECTED, _UNREADABLE, lambda error: _damage(path, error)):
        deep = _deep_channels(path)
        if deep:  # Pillow would keep 8 of the 16 bits; it refuses too many pixels, which ITK does not
            Image.open(path, formats=_FORMATS).close()
            return _grey_or_colour(read_itk(path, dtype).data[:deep].swapaxes(1, 2), "png")
        with Image.open(path, formats=_FORMATS) as image:
            pixels = _pixels(image, palette_indices).astype(dtype)
            return _grey_or_colour(np.moveaxis(np.atleast_3d(pixels), -1, 0), _format(image))


def picture_header(path: str, palette_indices: bool = False) -> Header:
    """Return what the header says, without reading the pixels.

    Args:
        path: the file.
        palette_indices: of a picture with a palette the indices are taken, else the colours.

    Raises:
        ClaraError: as :func:`read_picture`, as far as the header goes.
    """
    with reading(path, _EXPECTED, _UNREADABLE, lambda error: _damage(path, error)):
        deep = _deep_channels(path)
        with Image.open(path, formats=_FORMATS) as image:
            lies = _format(image) == "jpg" and image.getexif().get(_EXIF_ORIENTATION) in _LYING
            grey = image.mode in _GREY_MODES or (palette_indices and image.mode == "P")
            return plain_header(image.size if lies else image.size[::-1], deep or (1 if grey else 3))


def _pixels(image: Image.Image, palette_indices: bool) -> np.ndarray[Any, Any]:
    upright = ImageOps.exif_transpose(image) if _format(image) == "jpg" else image
    if upright.mode in ("1", "LA"):
        upright = upright.convert("L")
    elif upright.mode not in (*_GREY_MODES, "RGB") and not (palette_indices and upright.mode == "P"):
        upright = upright.convert("RGB")
    return np.asarray(upright)


def _grey_or_colour(data: np.ndarray[Any, Any], file_format: str) -> Volume:
    return plain_volume(data, "HW" if len(data) == 1 else "HWC", file_format)


def _format(image: Image.Image) -> str:
    return "png" if image.format == "PNG" else "jpg"


def _deep_channels(path: str) -> int:
    """Return how many channels to keep of a PNG file of 16 bits with more than grey; 0 for any other file."""
    with Path(path).open("rb") as stream:
        start = stream.read(26)
    is_deep = start.startswith(b"\x89PNG") and len(start) == 26 and start[24] == 16
    return _DEEP_CHANNELS.get(start[25], 0) if is_deep else 0


def _damage(path: str, error: BaseException) -> str:
    if is_empty(path):
        return "the file is empty"
    if isinstance(error, Image.DecompressionBombError):
        return f"by its header it has more than {2 * (Image.MAX_IMAGE_PIXELS or 0):,} pixels, the most that are read"
    if isinstance(error, UnidentifiedImageError):
        return f"it is not {_EXPECTED}"
    return f"the file is damaged ({reason(error)})"
