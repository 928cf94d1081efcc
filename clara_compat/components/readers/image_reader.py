"""What Clara's readers have in common.

Source: clara-3.1-transforms facts, section 2.6.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from clara_compat.common.dtype_utils import str_to_dtype
from clara_compat.common.medical_image import MedicalImage
from clara_compat.common.shape_format import ShapeFormat
from clara_compat.errors import ClaraError

__all__ = ["ImageReader"]

PathOrPaths = str | bytes | os.PathLike[str] | Sequence[str | bytes | os.PathLike[str]]


class ImageReader:
    """Reads a file, or a list of files that give one channel each, as a :class:`MedicalImage`.

    Args:
        dtype: data type of the images.
    """

    def __init__(self, dtype: Any = "float32") -> None:
        self.dtype = str_to_dtype(dtype)

    def read(self, file_name: PathOrPaths, shape: ShapeFormat | str | None = None) -> MedicalImage:
        """Read a file, or a list of files.

        Args:
            file_name: path, or list of paths.
            shape: the layout that is expected; None takes what the file has (what Clara did with it is assumed, after
                the documented example of a reader).

        Raises:
            ClaraError: a file cannot be read, or its layout is another one.
        """
        from clara_compat.engine.legacy.views import to_medical_image

        expected = None if shape is None else ShapeFormat(shape)
        image = to_medical_image(self._loader(expected)({"image": file_name})["image"])
        found = image.get_shape_format()
        if expected is not None and found != expected:
            raise ClaraError(f"{file_name!r} has the shape format {found}, but {expected} was asked for")
        return image

    def _loader(self, expected: ShapeFormat | None) -> Any:
        """Return the transform that loads the field ``image``."""
        raise NotImplementedError(f"{type(self).__name__} does not say how a file is read")
