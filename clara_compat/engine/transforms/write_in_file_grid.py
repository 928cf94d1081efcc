"""Write results in the geometry of the file they were made of."""

from __future__ import annotations

import logging
import os
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data import MetaTensor

from clara_compat.engine.readers.picture import picture_header
from clara_compat.engine.readers.scan import scan_header
from clara_compat.engine.readers.volume import Header
from clara_compat.engine.tensors import plain
from clara_compat.engine.transforms.write_results import WriteNiftid
from clara_compat.engine.writers.grid import nearest_on_grid
from clara_compat.engine.writers.nifti import write_nifti
from clara_compat.errors import ClaraError

__all__ = ["WriteInFileGridd"]

logger = logging.getLogger("clara_compat")

_PICTURES = (".png", ".jpg", ".jpeg")


class WriteInFileGridd(WriteNiftid):
    """Write fields as NIfTI with the affine, the shape and the orientation of the image's file.

    What is on another grid is put onto that of the file by taking the nearest voxel, which is logged; where it does not
    reach, because the chain cropped the image, there is 0. The grid of a file of unknown kind is not known: the field
    is written as it lies, and that is logged, too.

    Args:
        keys: fields with channel-first tensors (C, spatial...).
        output_dir: folder of all results.
        names: what stands for each key in the file's name; the keys themselves by default.
        source_key: field with the image whose file has the grid.
        dtype: numpy data type of the files; decimals are cut off by whole-number types.
        file: the one file to write, in place of one below ``output_dir``.
        allow_missing_keys: leave out fields an item does not have.

    Raises:
        ClaraError: a value does not fit the type, two cases have the same name, or a file cannot be written.
    """

    def __init__(
        self,
        keys: KeysCollection,
        output_dir: str | os.PathLike[str],
        names: str | Sequence[str] | None = None,
        source_key: str = "image",
        dtype: Any = "float32",
        file: str | os.PathLike[str] | None = None,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, output_dir, names, source_key, dtype, allow_missing_keys=allow_missing_keys)
        self.file = None if file is None else Path(file)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Write the item's fields and return the item."""
        d = dict(data)
        for key in self.key_iterator(d):
            source = self._source(d, key)
            path = self.files[key].claim(source) if self.file is None else self.file
            self._write(path, d[key], _grid_of(source), str(key))
        return d

    def paths(self, file: Any) -> list[str]:
        """Return the files of the case with this image.

        Args:
            file: path of the image, or the paths of its files.
        """
        return super().paths(file) if self.file is None else [str(self.file)]

    def _write(self, path: Path, image: Any, grid: Header | None, field: str) -> None:
        if not isinstance(image, torch.Tensor) or image.ndim < 3:
            raise ClaraError(f"field '{field}' holds no image, which is needed for '{path.name}'")
        array = plain(image).detach().cpu().numpy()
        affine = image.affine.cpu().numpy() if isinstance(image, MetaTensor) else np.eye(4)
        if grid is not None:
            if array.shape[1:] != tuple(grid.size) or not np.allclose(affine, grid.affine, atol=1e-3):
                array = nearest_on_grid(array, affine, grid.affine, grid.size)
                logger.info("%s: '%s' is put onto the grid of its file, nearest voxel", path.name, field)
            affine = grid.affine
        write_nifti(path, array, affine, self.dtype)


def _grid_of(file: str) -> Header | None:
    """Return what the header of an image's file says, or None when it is of an unknown kind."""
    try:
        return picture_header(file) if file.lower().endswith(_PICTURES) else scan_header(file)
    except ClaraError as error:
        logger.warning("the grid of '%s' is not known, the result is written as it lies (%s)", file, error)
        return None
