"""Load PNG and JPEG files as channel-first images that know their legacy layout."""

from __future__ import annotations

from typing import Any

from monai.config import KeysCollection

from clara_compat.engine.readers.picture import read_picture
from clara_compat.engine.readers.volume import Volume
from clara_compat.engine.transforms.load_files import LoadFilesd

__all__ = ["LoadPictured"]


class LoadPictured(LoadFilesd):
    """Replace paths by the pictures they name: (1, H, W) of grey values, or (3, H, W) of red, green and blue.

    Rows stay rows, as with MONAI's ``PILReader(reverse_indexing=False)``; the label is ``HW`` or ``HWC``. Values keep
    their 8 or 16 bits; see :func:`~clara_compat.engine.readers.picture.read_picture` for alpha, palettes and EXIF. A
    list of grey files gives one channel each. The affine is the identity.

    Source: clara-3.1-transforms facts, sections 2.6 and 4.1.

    Args:
        keys: fields that hold a path (``str``, ``bytes``, path-like), or a list of paths.
        dtype: numpy data type of the result.
        palette_indices: take the indices of a file with a palette instead of its colours.
        allow_missing_keys: leave out fields an item does not have.

    Raises:
        ClaraError: a file is missing, damaged or of another kind, or the files of a list are in colour or differ in
            shape.
    """

    expected = "a PNG or JPEG file"

    def __init__(
        self,
        keys: KeysCollection,
        dtype: Any = "float32",
        palette_indices: bool = False,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, dtype, allow_missing_keys)
        self.palette_indices = palette_indices

    def read(self, path: str) -> Volume:
        """Read one picture.

        Raises:
            ClaraError: it cannot be read.
        """
        return read_picture(path, self.dtype, self.palette_indices)
