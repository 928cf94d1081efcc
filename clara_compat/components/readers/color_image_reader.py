"""Clara's library class that reads colour pictures."""

from __future__ import annotations

import numpy as np

from clara_compat.common.medical_image import MedicalImage
from clara_compat.common.shape_format import ShapeFormat
from clara_compat.components.readers.image_reader import PathOrPaths
from clara_compat.components.readers.png_reader import PngReader

__all__ = ["ColorImageReader"]


class ColorImageReader(PngReader):
    """Reads PNG and JPEG files as ``HWC`` of red, green and blue; a grey file has the same value three times (assumed).

    Source: clara-3.1-transforms facts, section 2.6 (red, green, blue; a list of files gives one channel each).

    Args:
        dtype: data type of the images.
    """

    def read(self, file_name: PathOrPaths, shape: ShapeFormat | str | None = None) -> MedicalImage:
        """Read a file, or a list of grey files.

        Args:
            file_name: path, or list of paths.
            shape: the layout that is expected; None takes what there is.

        Raises:
            ClaraError: a file cannot be read, or its layout is another one.
        """
        if shape is not None and ShapeFormat(shape) != ShapeFormat.HWC:
            return super().read(file_name, shape)
        image = super().read(file_name)
        if image.get_shape_format() != ShapeFormat.HW:
            return image
        return image.new_image(np.repeat(image.get_data()[..., np.newaxis], 3, axis=2), ShapeFormat.HWC)
