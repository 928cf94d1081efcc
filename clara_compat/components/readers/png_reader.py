"""Clara's library class that reads PNG files."""

from __future__ import annotations

from typing import Any

from clara_compat.common.shape_format import ShapeFormat
from clara_compat.components.readers.image_reader import ImageReader

__all__ = ["PngReader"]


class PngReader(ImageReader):
    """Reads PNG and JPEG files as ``LoadPng`` does: ``HW`` if grey, ``HWC`` (red, green, blue) if not.

    Source: clara-3.1-transforms facts, section 2.6.

    Args:
        dtype: data type of the images.
    """

    def _loader(self, expected: ShapeFormat | None) -> Any:
        from clara_compat.engine.transforms.load_picture import LoadPictured

        return LoadPictured("image", self.dtype)
