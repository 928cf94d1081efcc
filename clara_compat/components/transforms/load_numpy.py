"""Clara's ``LoadNumpy``."""

from __future__ import annotations

from typing import Any

from clara_compat.common.shape_format import ShapeFormat
from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.transforms._checks import dtype_name
from clara_compat.components.transforms.loader import ImageLoader
from clara_compat.components.transforms.multi_field_transformer import MultiFieldTransformer
from clara_compat.components.transforms.native import Geometry
from clara_compat.errors import ClaraError

__all__ = ["LoadNumpy"]


class LoadNumpy(ImageLoader):
    """Replace the path of a ``.npy`` file, or a list of paths, in each field by its array.

    Source: clara-3.1-transforms facts, section 4.1.

    Args:
        fields: fields that hold paths.
        shape: shape format of the arrays in the files, such as ``DHW`` or ``CDHW``; a file holds one image, so no N.
        dtype: data type of the images; labels are no exception.
    """

    fidelity = assumed(
        "only the name is known; fields, shape and dtype are those of the documented example of a custom numpy loader, "
        "but a file that holds Python objects (a pickle) is refused, because it can run any code"
    )
    becomes = "clara_compat.engine.transforms.load_numpy.LoadNumpyd"

    def __init__(self, fields: str | list[str], shape: str, dtype: Any = "float32") -> None:
        MultiFieldTransformer.__init__(self, fields)
        try:
            shape_format = ShapeFormat(shape)
        except ValueError as error:
            raise ClaraError(f"argument 'shape': {error}") from None
        if shape_format.is_batched():
            raise ClaraError(
                f"argument 'shape' is '{shape}', but a file holds one image, not a batch: write "
                f"'{shape_format.without_batch()}'"
            )
        self.shape = str(shape_format)
        self.dtype = dtype_name(dtype)

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the loader."""
        return Entry(self.becomes, keys=self.fields, shape_format=self.shape, dtype=self.dtype)

    def read_header(self, path: str) -> Geometry:
        """Return the geometry of a file.

        Raises:
            ClaraError: the file cannot be read.
        """
        from clara_compat.engine.readers.array_file import array_header

        header = array_header(path, self.shape)
        return Geometry(header.size, header.spacing, header.channels)
