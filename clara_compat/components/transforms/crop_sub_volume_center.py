"""Clara's ``CropSubVolumeCenter``."""

from __future__ import annotations

from clara_compat.components.component import assumed
from clara_compat.components.transforms._fixed_size_crop import FixedSizeCrop

__all__ = ["CropSubVolumeCenter"]


class CropSubVolumeCenter(FixedSizeCrop):
    """Cut a region of a fixed size out of the middle of each image.

    Source: clara-3.1-transforms facts, sections 4.7 and 10.

    Args:
        fields: fields that hold images.
        size: voxels per spatial axis.

    Raises:
        ClaraError: the size is not 2 or 3 positive numbers.
    """

    fidelity = assumed(
        "rounding and smaller images are not documented: an axis of n voxels is cut from voxel n // 2 - size // 2 on, "
        "and smaller images are padded with zeros on both sides, with a warning"
    )
    becomes = "clara_compat.engine.transforms.crop_fixed_size.CenterCropOrPadd"
