"""Clara's ``CropFixedSizeRandomCenter``."""

from __future__ import annotations

from clara_compat.components.component import assumed
from clara_compat.components.transforms._fixed_size_crop import FixedSizeCrop

__all__ = ["CropFixedSizeRandomCenter"]


class CropFixedSizeRandomCenter(FixedSizeCrop):
    """Cut a region of a fixed size at a random place, the same of all fields.

    Source: clara-3.1-transforms facts, sections 4.7 and 10.

    Args:
        fields: fields that hold images of one shape.
        size: voxels per spatial axis.

    Raises:
        ClaraError: the size is not 2 or 3 positive numbers.
    """

    fidelity = assumed(
        "every place inside the image is equally likely; what becomes of smaller images is not documented: they are "
        "padded with zeros on both sides, with a warning"
    )
    becomes = "clara_compat.engine.transforms.crop_fixed_size.RandCropOrPadd"

    def is_deterministic(self) -> bool:
        """Return False."""
        return False
