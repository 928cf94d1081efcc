"""Load NIfTI files as channel-first images that know their legacy layout."""

from __future__ import annotations

import gzip
import logging
import os
import zlib
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import nibabel
import numpy as np
import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform
from monai.utils import get_equivalent_dtype
from nibabel.filebasedimages import ImageFileError
from nibabel.orientations import apply_orientation, inv_ornt_aff, io_orientation
from nibabel.spatialimages import HeaderDataError

from clara_compat.common.constants import ImageProperty
from clara_compat.engine import properties
from clara_compat.errors import ClaraError

__all__ = ["LoadNiftid"]

_logger = logging.getLogger(__name__)

_NIFTI2_HEADER = 540  # bytes
_UNREADABLE = (ImageFileError, HeaderDataError, EOFError, OSError, zlib.error, ValueError, TypeError, OverflowError)


class _Volume(NamedTuple):
    """One file: array (spatial...) or (C, spatial...), affine (4x4), the file's own affine, spacing (mm)."""

    data: np.ndarray[Any, Any]
    affine: np.ndarray[Any, Any]
    original_affine: np.ndarray[Any, Any]
    spacing: tuple[float, ...]
    rank: int


class LoadNiftid(MapTransform):
    """Replace paths by the images they name: channel-first ``MetaTensor`` (C, D, H, W) or (C, H, W).

    D, H and W are the file's axes in their order: nothing is transposed. A file of 3 axes gets one channel and the
    label ``DHW``, one of 2 axes ``HW``; the fourth axis of a file is its channels (label ``DHWC``) unless
    ``nii_is_channels_first`` (``CDHW``). A list of files gives one channel each (``CDHW`` or ``CHW``). The
    affine is the (first) file's, from voxel indices to RAS mm.

    Properties (see :mod:`clara_compat.engine.properties`): ``file_name``, ``original_shape`` and its format (as loaded,
    without the channel that a file of one volume gets), ``original_affine`` (of the file, before re-orientation),
    ``as_canonical``, ``spacing`` (the header's, mm), ``file_format``, ``shape_format``.

    Source: clara-3.1-transforms facts, sections 2.6 and 4.1.

    Args:
        keys: fields that hold a path (``str``, ``bytes``, path-like), or a list of paths.
        dtype: numpy data type of the result; labels are no exception, as in Clara.
        nii_is_channels_first: the channels of a 4-D file are its first axis.
        as_closest_canonical: flip and swap axes so that they run as close as possible to right, anterior, superior.
        allow_missing_keys: leave out fields an item does not have.

    Raises:
        ClaraError: a file is missing, damaged or not NIfTI, has an unsupported number of axes, or the files of a list
            differ in shape.
    """

    def __init__(
        self,
        keys: KeysCollection,
        dtype: Any = "float32",
        nii_is_channels_first: bool = False,
        as_closest_canonical: bool = False,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.dtype = np.dtype(dtype)
        get_equivalent_dtype(self.dtype, torch.Tensor)  # now rather than at the first file: torch must have it
        self.nii_is_channels_first = nii_is_channels_first
        self.as_closest_canonical = as_closest_canonical

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the item with images in the place of paths."""
        d = dict(data)
        for key in self.key_iterator(d):
            d[key] = self._load(d[key], key)
        return d

    def _load(self, value: Any, key: Hashable) -> MetaTensor:
        paths, is_list = _paths(value, key)
        volumes = [self._read(path) for path in paths]
        first = volumes[0]
        if is_list:
            _check_same_grid(volumes, paths)
            array = np.stack([volume.data for volume in volumes])
            shape_format = "CDHW" if first.rank == 3 else "CHW"
            original_shape = array.shape
        elif first.rank == 4:
            array = first.data
            shape_format = "CDHW" if self.nii_is_channels_first else "DHWC"
            original_shape = array.shape if self.nii_is_channels_first else (*array.shape[1:], array.shape[0])
        else:
            array = first.data[np.newaxis]
            shape_format = "DHW" if first.rank == 3 else "HW"
            original_shape = first.data.shape
        tensor = MetaTensor(
            torch.from_numpy(np.ascontiguousarray(array)),
            meta={
                "affine": torch.from_numpy(first.affine),
                "original_affine": first.original_affine,
                "spatial_shape": np.asarray(array.shape[1:]),
                "filename_or_obj": paths[0],
            },
        )
        properties.write(
            tensor,
            {
                ImageProperty.FILENAME: paths if is_list else paths[0],
                ImageProperty.ORIGINAL_SHAPE: tuple(original_shape),
                ImageProperty.ORIGINAL_SHAPE_FORMAT: shape_format,
                ImageProperty.ORIGINAL_AFFINE: first.original_affine,
                ImageProperty.IS_CANONICAL: self.as_closest_canonical,
                ImageProperty.SPACING: first.spacing,
                ImageProperty.FORMAT: ImageProperty.NIFTI_FORMAT,
                ImageProperty.SHAPE_FORMAT: shape_format,
            },
        )
        return tensor

    def _read(self, path: str) -> _Volume:
        try:
            image = _open(path)
            if not isinstance(image, nibabel.Nifti1Pair):
                raise ClaraError(f"'{path}' is a {type(image).__name__}, expected a NIfTI file (.nii or .nii.gz)")
            array = np.asanyarray(image.dataobj, dtype=self.dtype)
        except FileNotFoundError:
            raise ClaraError(f"'{path}' does not exist: check DATA_ROOT and the data list") from None
        except PermissionError:
            raise ClaraError(f"'{path}' may not be read: check its permissions") from None
        except IsADirectoryError:
            raise ClaraError(f"'{path}' is a folder, expected a NIfTI file (.nii or .nii.gz)") from None
        except _UNREADABLE as error:
            raise ClaraError(f"'{path}' cannot be read: {_damage(path, error)}") from error
        if array.size == 0 or not 2 <= array.ndim <= 5:
            raise ClaraError(f"'{path}' has the shape {array.shape}, expected an image of 2 to 4 axes")
        if array.ndim == 5:
            if array.shape[3] != 1:
                raise ClaraError(
                    f"'{path}' has the shape {array.shape}: time series are not supported, expected a fourth axis of 1"
                )
            array = array[:, :, :, 0]
        rank = array.ndim
        if rank == 4 and not self.nii_is_channels_first:
            array = np.moveaxis(array, -1, 0)
        affine = np.array(image.affine, dtype=np.float64)
        dims = min(rank, 3)
        spacing = np.asarray(image.header.get_zooms()[:dims], dtype=np.float64)
        original_affine = affine.copy()
        if self.as_closest_canonical:
            array, affine, spacing = _canonical(array, affine, spacing, rank, path)
        return _Volume(array, affine, original_affine, tuple(np.abs(spacing).tolist()), rank)


def _open(path: str) -> Any:
    """Open a file; a gzipped one is unpacked whole.

    ``nibabel.load`` reads a gzipped stream just as far as it needs to, so its checksum is never compared and a damaged
    file gives wrong voxels without a word; unpacking it whole is also faster.
    """
    with Path(path).open("rb") as stream:
        if stream.read(2) != b"\x1f\x8b":
            return nibabel.load(path)
        stream.seek(0)
        content = gzip.decompress(stream.read())
    header_sizes = [int.from_bytes(content[:4], order) for order in ("little", "big")]
    kind = nibabel.Nifti2Image if _NIFTI2_HEADER in header_sizes else nibabel.Nifti1Image
    return kind.from_bytes(content)


def _paths(value: Any, key: Hashable) -> tuple[list[str], bool]:
    is_list = isinstance(value, (list, tuple)) or (isinstance(value, np.ndarray) and value.ndim > 0)
    paths = list(value) if is_list else [value.item() if isinstance(value, np.ndarray) else value]
    if not paths or not all(isinstance(path, (str, bytes, os.PathLike)) for path in paths):
        shown = " ".join(repr(value).split())
        raise ClaraError(f"field '{key}' holds {shown:.80}, expected the path of a NIfTI file")
    return [str(os.fsdecode(path)) for path in paths], is_list


def _check_same_grid(volumes: list[_Volume], paths: list[str]) -> None:
    first = volumes[0]
    for volume, path in zip(volumes, paths, strict=True):
        if volume.rank == 4:
            raise ClaraError(f"'{path}' has channels itself: a list of files gives one channel per file of 2 or 3 axes")
        if volume.data.shape != first.data.shape:
            raise ClaraError(
                f"the files of one image differ in shape: '{paths[0]}' has {first.data.shape}, '{path}' has "
                f"{volume.data.shape}"
            )
        if not np.allclose(volume.affine, first.affine, atol=1e-3):
            _logger.warning("'%s' has another affine than '%s', whose affine is kept", path, paths[0])


def _canonical(array: Any, affine: Any, spacing: Any, rank: int, path: str) -> tuple[Any, Any, Any]:
    """Flip and swap spatial axes to the closest of RAS+; ``nibabel.as_closest_canonical`` for any channels."""
    orientation = io_orientation(affine)
    if np.isnan(orientation).any() or (rank == 2 and orientation[2, 0] != 2):
        raise ClaraError(
            f"'{path}' cannot be re-oriented: its affine is singular, or it is 2-D and no plane of x and y"
        )
    spatial = orientation[: len(spacing)]
    shape = array.shape[array.ndim - len(spacing) :]
    turned_affine = affine @ inv_ornt_aff(orientation, (*shape, 1) if rank == 2 else shape)
    axes = spatial[:, 0].astype(int)
    turned_spacing = np.empty_like(spacing)
    turned_spacing[axes] = spacing
    if rank == 4:  # apply_orientation leaves axes behind the oriented ones alone
        return np.moveaxis(apply_orientation(np.moveaxis(array, 0, -1), spatial), -1, 0), turned_affine, turned_spacing
    return apply_orientation(array, spatial), turned_affine, turned_spacing


def _damage(path: str, error: BaseException) -> str:
    reason = " ".join(str(error).split())
    if Path(path).stat().st_size == 0:
        return "the file is empty"
    if isinstance(error, EOFError) or (isinstance(error, OSError) and reason.startswith("Expected ")):
        return f"the file is cut off ({reason})"
    if isinstance(error, (ImageFileError, HeaderDataError)):
        return f"it is not a NIfTI file, or its header is damaged ({reason})"
    return f"the file is damaged ({reason})"
