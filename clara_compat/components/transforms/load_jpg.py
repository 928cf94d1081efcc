"""Clara's ``LoadJpg``."""

from __future__ import annotations

from clara_compat.components.component import assumed
from clara_compat.components.transforms._picture_loader import PictureLoader

__all__ = ["LoadJpg"]


class LoadJpg(PictureLoader):
    """Replace the path of a JPEG file in each field by the image: ``HW`` if grey, ``HWC`` (red, green, blue) if not.

    Source: clara-3.1-transforms facts, sections 2.6 and 4.1.

    Args:
        fields: fields that hold paths, or lists of paths of grey files, which give one channel each.
        dtype: data type of the images; labels are no exception.
    """

    fidelity = assumed(
        "only Clara's reader is documented: rows are the first axis, colours are red, green, blue, a list of files "
        "gives channels; assumed: a grey file stays HW, the EXIF orientation is obeyed as OpenCV does, spacing 1, an "
        "identity affine"
    )
