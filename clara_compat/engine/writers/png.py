"""Write planes as PNG."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from clara_compat.common.files import replacing
from clara_compat.common.full_disk import why
from clara_compat.errors import ClaraError

__all__ = ["write_png"]

_NEARLY_WHOLE = 1e-3
_CHANNELS = (1, 3)


def write_png(path: Path, data: np.ndarray[Any, Any]) -> None:
    """Write a plane as it is, nothing is scaled: grey of 8 or, for values above 255, 16 bits, or colour of 8 bits.

    Args:
        path: the file; folders are made as needed. It appears whole or not at all.
        data: (1, H, W) of grey values or (3, H, W) of red, green and blue: whole numbers from 0.

    Raises:
        ClaraError: the array has other axes or channels, a value does not fit, or the file cannot be written.
    """
    if data.ndim != 3 or len(data) not in _CHANNELS:
        raise ClaraError(
            f"an image of {len(data)} channels and {list(data.shape[1:])} voxels does not fit '{path.name}', expected "
            "a 2-D image of 1 or 3 channels"
        )
    data = data.astype(np.float64)
    whole = np.rint(data)
    most = 65535 if len(data) == 1 else 255
    if not np.allclose(data, whole, rtol=0, atol=_NEARLY_WHOLE) or whole.min() < 0 or whole.max() > most:
        raise ClaraError(
            f"the image holds values from {data.min():.6g} to {data.max():.6g}, expected whole numbers from 0 to "
            f"{most} in '{path.name}': put ArgmaxAcrossChannels or ThresholdValues before the writer"
        )
    pixels = whole.astype(np.uint8 if whole.max() <= 255 else np.uint16)
    image = Image.fromarray(pixels[0] if len(data) == 1 else np.ascontiguousarray(np.moveaxis(pixels, 0, -1)))
    try:
        with replacing(path) as stream:
            image.save(stream, format="PNG")
    except OSError as error:
        raise ClaraError(f"'{path}' cannot be written: {why(error)}") from error
