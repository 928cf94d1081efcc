"""Write images as NIfTI."""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import nibabel
import numpy as np

from clara_compat.common.constants import CANONICAL, ImageProperty
from clara_compat.common.files import replacing
from clara_compat.common.full_disk import why
from clara_compat.engine.orientation import reoriented
from clara_compat.engine.readers.nifti import PLANE
from clara_compat.errors import ClaraError

__all__ = ["affine_to_restore", "write_nifti"]

_STORED = {"bool": "uint8", "float16": "float32"}
"""What takes the place of types that NIfTI does not have."""

Array = np.ndarray[Any, Any]


def write_nifti(
    path: Path,
    data: Array,
    affine: Array,
    dtype: Any = "float32",
    like: Array | None = None,
    transpose_axes: Sequence[int] | None = None,
    squeeze: bool = False,
    use_identity: bool = False,
) -> None:
    """Write an image, whole or not at all; gzipped when the name ends in ``.gz``.

    The channels become the last axis; a single one is left out. A plane with channels is written as (x, y, 1, C), and
    ``intent_name`` in the header says so, which tells it from a volume of one slice.

    Args:
        path: the file; folders are made as needed.
        data: channel-first array (C, x, y, z) or (C, x, y).
        affine: from voxel indices to RAS mm (4x4).
        dtype: numpy data type of the file; decimals are cut off by whole-number types. NIfTI has no bool, which becomes
            uint8, and no float16, which becomes float32.
        like: an affine: the axes are flipped and swapped to run as its axes do.
        transpose_axes: order of the axes in the file, of those it would otherwise have; the channels stay last.
        squeeze: leave out all axes of length 1.
        use_identity: write an identity affine; otherwise every voxel keeps its place in space, whatever the axes.

    Raises:
        ClaraError: a value does not fit the type, the axes are none, the image cannot be turned, or the file cannot be
            written.
    """
    if np.shape(affine) != (4, 4):
        raise ClaraError(f"the affine of '{path.name}' has the shape {np.shape(affine)}, expected (4, 4)")
    if like is not None:
        try:
            data, affine, _ = reoriented(data, affine, like)
        except ClaraError as error:
            raise ClaraError(f"the orientation of '{path.name}' cannot be restored: {error}") from None
    array = np.moveaxis(data, 0, -1)
    if array.shape[-1] == 1:
        array = array[..., 0]
    elif array.ndim == 3:
        array = array[:, :, np.newaxis]
    array, affine = _arranged(array, affine, transpose_axes, squeeze)
    stored = _stored(array, np.dtype(dtype))
    image = nibabel.Nifti1Image(stored, np.eye(4) if use_identity else affine, dtype=stored.dtype)
    if data.ndim == 3 and stored.ndim == 4 and stored.shape[2] == 1:
        image.header["intent_name"] = PLANE
    try:
        with replacing(path) as stream:
            if path.suffix == ".gz":
                with gzip.GzipFile("", "wb", compresslevel=1, fileobj=stream, mtime=0) as packed:
                    image.to_stream(packed)
            else:
                image.to_stream(stream)
    except OSError as error:
        raise ClaraError(f"'{path}' cannot be written: {why(error)}") from error


def affine_to_restore(properties: Mapping[str, Any], field: str) -> Array | None:
    """Return the affine an image had before its loader turned it to the canonical orientation.

    Args:
        properties: of the image.
        field: what the image is called, for messages.

    Returns:
        The affine, or None when the loader did not turn the image.

    Raises:
        ClaraError: the image does not say.
    """
    known = [properties[name] for name in CANONICAL if name in properties]
    if known and not known[0]:
        return None
    if not known or properties.get(ImageProperty.ORIGINAL_AFFINE) is None:
        raise ClaraError(
            f"'{field}' does not say how its file was oriented, which is needed to turn it back: copy the "
            "properties affine, original_affine and as_canonical from the image with CopyProperties"
        )
    return np.asarray(properties[ImageProperty.ORIGINAL_AFFINE], dtype=np.float64)


def _arranged(array: Array, affine: Array, transpose_axes: Sequence[int] | None, squeeze: bool) -> tuple[Array, Array]:
    """Reorder and leave out axes, and the columns of the affine with them."""
    axes = list(range(array.ndim)) if transpose_axes is None else list(transpose_axes)
    if sorted(axes) != list(range(array.ndim)) or (array.ndim == 4 and axes[3] != 3):
        raise ClaraError(
            f"transpose_axes is {axes}, expected the axes {list(range(array.ndim))} of the file in another order"
            + (", the channels last" if array.ndim == 4 else "")
        )
    moved = array.transpose(axes)
    kept = [axis for axis in axes if array.shape[axis] != 1] if squeeze else axes
    columns = [axis for axis in kept if axis < 3]
    columns += [axis for axis in range(3) if axis not in columns]
    return (np.squeeze(moved) if squeeze else moved), np.asarray(affine, dtype=np.float64)[:, [*columns, 3]]


def _stored(array: Array, dtype: np.dtype[Any]) -> Array:
    target = np.dtype(_STORED.get(dtype.name, dtype))
    if target.kind in "iu" and array.dtype != target and array.size:
        limits, low, high = np.iinfo(target), array.min(), array.max()
        if not (limits.min <= low and high <= limits.max):  # also when one is not a number
            raise ClaraError(
                f"the image holds values from {low:.6g} to {high:.6g}, which {dtype} cannot hold: set 'dtype' to a "
                "type that can"
            )
    return array.astype(target)
