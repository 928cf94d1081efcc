"""What the loaders of pictures have in common."""

from __future__ import annotations

from typing import Any, ClassVar

from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.transforms._checks import dtype_name
from clara_compat.components.transforms.loader import ImageLoader
from clara_compat.components.transforms.multi_field_transformer import MultiFieldTransformer
from clara_compat.components.transforms.native import Geometry

__all__ = ["PictureLoader"]


class PictureLoader(ImageLoader):
    """Replaces the path of a PNG or JPEG file, or a list of paths of grey files, in each field by the image.

    Args:
        fields: fields that hold paths.
        dtype: data type of the images; labels are no exception.
    """

    becomes = "clara_compat.engine.transforms.load_picture.LoadPictured"
    palette_indices: ClassVar[bool] = False
    """Whether a file with a palette gives its indices instead of its colours."""

    def __init__(self, fields: str | list[str], dtype: Any = "float32") -> None:
        MultiFieldTransformer.__init__(self, fields)
        self.dtype = dtype_name(dtype)

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the loader."""
        return Entry(self.becomes, keys=self.fields, dtype=self.dtype, palette_indices=self.palette_indices)

    def read_header(self, path: str) -> Geometry:
        """Return the geometry of a picture: rows and columns.

        Raises:
            ClaraError: the file cannot be read.
        """
        from clara_compat.engine.readers.picture import picture_header

        header = picture_header(path, self.palette_indices)
        return Geometry(header.size, header.spacing, header.channels)
