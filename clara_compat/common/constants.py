"""Names that user code shares with the framework.

Source: clara-3.1-transforms facts, section 2.3 (strings and how sure each is).
"""

from __future__ import annotations

from typing import Final

__all__ = ["CANONICAL", "ActivationFunc", "DataElementKey", "ImageProperty"]


class ImageProperty:
    """Keys of the properties of a :class:`~clara_compat.common.medical_image.MedicalImage`.

    ``ORIGINAL_SHAPE``, ``FILENAME`` and the strings ``affine``, ``original_affine`` and ``as_canonical`` were seen in
    Clara 3.1 code or configurations; the other constants are assumed after MONAI's first version, which ported them.
    """

    FILENAME: Final = "file_name"
    """The file, or the list of files, the image was read from."""
    ORIGINAL_SHAPE: Final = "original_shape"
    """Shape as read from the file; without a channel axis for a single file."""
    ORIGINAL_SHAPE_FORMAT: Final = "original_shape_format"
    """Shape format of ``ORIGINAL_SHAPE``."""
    AFFINE: Final = "affine"
    """4x4 matrix from voxel indices to millimetres (NIfTI convention, RAS)."""
    ORIGINAL_AFFINE: Final = "original_affine"
    """The affine before the image was turned to the canonical orientation."""
    IS_CANONICAL: Final = "as_canonical"
    """Whether the loader turned the image to the canonical orientation."""
    SPACING: Final = "spacing"
    """Voxel size in millimetres, one number per spatial axis."""
    FORMAT: Final = "file_format"
    """Format of the file, such as ``NIFTI_FORMAT``."""
    NIFTI_FORMAT: Final = "nii"
    SHAPE_FORMAT: Final = "shape_format"
    DATA: Final = "data"
    BACKGROUND_INDEX: Final = "background_index"
    """Which label value is background."""


CANONICAL: Final = (ImageProperty.IS_CANONICAL, "is_canonical")
"""The property that says whether a loader turned an image, by both its names."""


class DataElementKey:
    """Field names of a data item. ``LABEL`` is assumed."""

    IMAGE: Final = "image"
    LABEL: Final = "label"


class ActivationFunc:
    """Final activations of the networks.

    The strings are those of the page on own components; of the constants only ``SOFTMAX`` was seen, the others are
    assumed.
    """

    SOFTMAX: Final = "softmax"
    SIGMOID: Final = "sigmoid"
    LINEAR: Final = "linear"
