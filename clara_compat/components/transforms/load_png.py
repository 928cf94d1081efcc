"""Clara's ``LoadPng``."""

from __future__ import annotations

from clara_compat.components.component import assumed
from clara_compat.components.transforms._picture_loader import PictureLoader

__all__ = ["LoadPng"]


class LoadPng(PictureLoader):
    """Replace the path of a PNG file in each field by the image: ``HW`` if grey, ``HWC`` (red, green, blue) if not.

    Source: clara-3.1-transforms facts, sections 2.6 and 4.1.

    Args:
        fields: fields that hold paths, or lists of paths of grey files, which give one channel each.
        dtype: data type of the images; labels are no exception.
    """

    fidelity = assumed(
        "rows are the first axis, as in OpenCV, with which Clara read them; not documented and assumed: dtype float32, "
        "16 bits are kept, an alpha channel is left out, a palette gives its colours, spacing 1 and an identity affine"
    )
