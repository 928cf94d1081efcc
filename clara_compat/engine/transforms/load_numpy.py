"""Load numpy files as channel-first images that know their legacy layout."""

from __future__ import annotations

from typing import Any

from monai.config import KeysCollection

from clara_compat.common.shape_format import ShapeFormat
from clara_compat.engine.readers.array_file import read_array
from clara_compat.engine.readers.volume import Volume
from clara_compat.engine.transforms.load_files import LoadFilesd
from clara_compat.errors import ClaraError

__all__ = ["LoadNumpyd"]


class LoadNumpyd(LoadFilesd):
    """Replace paths of ``.npy`` files by their arrays, channel-first; the affine is the identity.

    Files come from strangers: a pickle is never loaded. A list of files without channel axis gives one channel each.

    Args:
        keys: fields that hold a path (``str``, ``bytes``, path-like), or a list of paths.
        shape_format: layout of the arrays in the files, one letter per axis: ``DHW``, ``DHWC``, ``CDHW``, ``HW``,
            ``HWC`` or ``CHW``.
        dtype: numpy data type of the result.
        allow_missing_keys: leave out fields an item does not have.

    Raises:
        ClaraError: the format has a batch axis; a file is missing, damaged, or has other axes.
    """

    expected = "a numpy file (.npy)"

    def __init__(
        self, keys: KeysCollection, shape_format: str, dtype: Any = "float32", allow_missing_keys: bool = False
    ) -> None:
        super().__init__(keys, dtype, allow_missing_keys)
        self.shape_format = str(ShapeFormat(shape_format))
        if ShapeFormat(shape_format).is_batched():
            raise ClaraError(f"shape format {shape_format} has a batch axis, but a file holds one image: leave N out")

    def read(self, path: str) -> Volume:
        """Read one file.

        Raises:
            ClaraError: it cannot be read.
        """
        return read_array(path, self.shape_format, self.dtype)
