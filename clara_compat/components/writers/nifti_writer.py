"""Clara's library class that writes images as NIfTI.

Source: clara-3.1-transforms facts, section 2.6.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from clara_compat.common.constants import ImageProperty
from clara_compat.common.dtype_utils import str_to_dtype
from clara_compat.common.medical_image import MedicalImage
from clara_compat.errors import ClaraError

__all__ = ["NiftiWriter", "image_file_name"]


def image_file_name(basename: str | os.PathLike[str], compressed: bool) -> str:
    """Return the name of the file: ``basename`` with ``.nii``, or ``.nii.gz`` when it is compressed.

    Args:
        basename: path without an ending.
        compressed: with gzip.
    """
    return os.fspath(basename).removesuffix(".gz").removesuffix(".nii") + (".nii.gz" if compressed else ".nii")


class NiftiWriter:
    """Writes a :class:`MedicalImage` as a NIfTI file, whole or not at all.

    The channels become the last axis, a single one is left out; the affine is the image's property, or the identity
    when it has none. The constructor is documented; what ``transpose_axes`` and ``squeeze`` did is not: here the affine
    follows, so that every voxel keeps its place in space.

    Args:
        dtype: data type of the file; decimals are cut off by whole-number types.
        use_identity: write an identity affine.
        compressed: write ``.nii.gz``.
        revert_canonical: turn the axes back to how they were before a loader turned them to the canonical orientation;
            needs the properties ``as_canonical`` and ``original_affine``.
        transpose_axes: order of the axes in the file, of those it would otherwise have.
        squeeze: leave out all axes of length 1.
    """

    image_file_name = staticmethod(image_file_name)

    def __init__(
        self,
        dtype: Any = "float32",
        use_identity: bool = False,
        compressed: bool = True,
        revert_canonical: bool = False,
        transpose_axes: Sequence[int] | None = None,
        squeeze: bool = False,
    ) -> None:
        self.dtype = str_to_dtype(dtype)
        self.use_identity = use_identity
        self.compressed = compressed
        self.revert_canonical = revert_canonical
        self.transpose_axes = transpose_axes
        self.squeeze = squeeze

    def write(self, img: MedicalImage, file_basename: str | os.PathLike[str]) -> None:
        """Write an image to ``image_file_name(file_basename, compressed)``; folders are made as needed.

        Args:
            img: the image, in any layout.
            file_basename: path without an ending.

        Raises:
            ClaraError: the image has a batch axis, does not say how it was oriented, holds a value that the type
                cannot, or the file cannot be written.
        """
        from clara_compat.engine.writers.nifti import affine_to_restore, write_nifti

        target = Path(image_file_name(file_basename, self.compressed))
        affine = img.get_property(ImageProperty.AFFINE)
        write_nifti(
            target,
            channel_first(img, target.name),
            np.eye(4) if affine is None else np.asarray(affine, dtype=np.float64),
            self.dtype,
            affine_to_restore(img.get_properties(), target.name) if self.revert_canonical else None,
            self.transpose_axes,
            self.squeeze,
            self.use_identity,
        )


def channel_first(img: MedicalImage, name: str) -> np.ndarray[Any, Any]:
    """Return the array as (C, spatial...).

    Raises:
        ClaraError: it has a batch axis.
    """
    layout, data = img.get_shape_format(), img.get_data()
    if layout.is_batched():
        raise ClaraError(f"the image for '{name}' is {layout}, a batch: write one image at a time")
    return np.moveaxis(data, layout.get_channel_axis(), 0) if layout.is_channeled() else data[np.newaxis]
