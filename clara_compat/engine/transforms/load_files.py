"""What the transforms that load files have in common."""

from __future__ import annotations

import logging
import os
from collections.abc import Hashable, Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform
from monai.utils import get_equivalent_dtype

from clara_compat.common.constants import ImageProperty
from clara_compat.engine import properties
from clara_compat.engine.readers.volume import Volume
from clara_compat.errors import ClaraError

__all__ = ["LoadFilesd"]

_logger = logging.getLogger(__name__)


class LoadFilesd(MapTransform):
    """Replace paths by the images they name: channel-first ``MetaTensor`` (C, D, H, W) or (C, H, W).

    A list of files gives one channel each (``CDHW`` or ``CHW``) and the affine of the first. Subclasses say how one
    file is read.

    Properties (see :mod:`clara_compat.engine.properties`): ``file_name``, ``original_shape`` and its format (as loaded,
    without the channel that a file without channel axis gets), ``original_affine`` (the file's, before re-orientation),
    ``as_canonical``, ``spacing`` (the header's, mm), ``file_format``, ``shape_format``.

    Args:
        keys: fields that hold a path (``str``, ``bytes``, path-like), or a list of paths.
        dtype: numpy data type of the result; labels are no exception, as in Clara.
        allow_missing_keys: leave out fields an item does not have.
    """

    expected: ClassVar[str]
    """What a path should name, for messages."""

    as_closest_canonical = False

    def __init__(self, keys: KeysCollection, dtype: Any = "float32", allow_missing_keys: bool = False) -> None:
        super().__init__(keys, allow_missing_keys)
        self.dtype = np.dtype(dtype)
        get_equivalent_dtype(self.dtype, torch.Tensor)  # now rather than at the first file: torch must have it

    def read(self, path: str) -> Volume:
        """Read one file.

        Args:
            path: the file.

        Raises:
            ClaraError: it cannot be read.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say how a file is read")

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the item with images in the place of paths."""
        d = dict(data)
        for key in self.key_iterator(d):
            d[key] = self._load(d[key], key)
        return d

    def _load(self, value: Any, key: Hashable) -> MetaTensor:
        paths, is_list = self._paths(value, key)
        volumes = [self.read(path) for path in paths]
        image = _stacked(volumes, paths) if is_list else volumes[0]
        tensor = MetaTensor(
            torch.from_numpy(np.ascontiguousarray(image.data)),
            meta={
                "affine": torch.from_numpy(image.affine),
                "original_affine": image.original_affine,
                "spatial_shape": np.asarray(image.data.shape[1:]),
                "filename_or_obj": paths[0],
            },
        )
        properties.write(
            tensor,
            {
                ImageProperty.FILENAME: paths if is_list else paths[0],
                ImageProperty.ORIGINAL_SHAPE: image.original_shape,
                ImageProperty.ORIGINAL_SHAPE_FORMAT: image.shape_format,
                ImageProperty.ORIGINAL_AFFINE: image.original_affine,
                ImageProperty.IS_CANONICAL: self.as_closest_canonical,
                ImageProperty.SPACING: image.spacing,
                ImageProperty.FORMAT: image.file_format,
                ImageProperty.SHAPE_FORMAT: image.shape_format,
            },
        )
        return tensor

    def _paths(self, value: Any, key: Hashable) -> tuple[list[str], bool]:
        is_list = isinstance(value, (list, tuple)) or (isinstance(value, np.ndarray) and value.ndim > 0)
        paths = list(value) if is_list else [value.item() if isinstance(value, np.ndarray) else value]
        if not paths or not all(isinstance(path, (str, bytes, os.PathLike)) for path in paths):
            shown = " ".join(repr(value).split())
            raise ClaraError(f"field '{key}' holds {shown:.80}, expected the path of {self.expected}")
        return [str(os.fsdecode(path)) for path in paths], is_list


def _stacked(volumes: list[Volume], paths: list[str]) -> Volume:
    """Return one channel per file."""
    first = volumes[0]
    for volume, path in zip(volumes, paths, strict=True):
        if "C" in volume.shape_format:
            raise ClaraError(f"'{path}' has channels itself: a list of files gives one channel per file of 2 or 3 axes")
        if volume.data.shape != first.data.shape:
            raise ClaraError(
                f"the files of one image differ in shape: '{paths[0]}' has {first.data.shape[1:]}, '{path}' has "
                f"{volume.data.shape[1:]}"
            )
        if not np.allclose(volume.affine, first.affine, atol=1e-3):
            _logger.warning("'%s' has another affine than '%s', whose affine is kept", path, paths[0])
    data = np.concatenate([volume.data for volume in volumes])
    return first._replace(data=data, shape_format=f"C{first.shape_format}")
