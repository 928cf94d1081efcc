"""Clara's library class that reads JPEG files."""

from __future__ import annotations

from clara_compat.components.readers.png_reader import PngReader

__all__ = ["JpgReader"]


class JpgReader(PngReader):
    """Reads JPEG and PNG files as ``LoadJpg`` does: ``HW`` if grey, ``HWC`` (red, green, blue) if not.

    Source: clara-3.1-transforms facts, section 2.6.

    Args:
        dtype: data type of the images.
    """
