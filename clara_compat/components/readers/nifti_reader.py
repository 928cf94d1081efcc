"""Clara's library class that reads NIfTI files."""

from __future__ import annotations

from typing import Any

from clara_compat.common.dtype_utils import str_to_bool
from clara_compat.common.shape_format import ShapeFormat
from clara_compat.components.readers.image_reader import ImageReader

__all__ = ["NiftiReader"]


class NiftiReader(ImageReader):
    """Reads NIfTI files as ``LoadNifti`` does: ``DHW``, ``HW``, or with channels ``DHWC`` or ``CDHW``.

    Source: clara-3.1-transforms facts, section 2.6.

    Args:
        dtype: data type of the images.
        nii_is_channels_first: the channels of a file of four axes are the first axis; ``read(file, "CDHW")`` and
            ``read(file, "DHWC")`` say so for one file.
        as_closest_canonical: turn the axes as close to right, anterior, superior as flips and swaps can.
    """

    def __init__(
        self, dtype: Any = "float32", nii_is_channels_first: bool = False, as_closest_canonical: bool = False
    ) -> None:
        super().__init__(dtype)
        self.nii_is_channels_first = str_to_bool(nii_is_channels_first)
        self.as_closest_canonical = str_to_bool(as_closest_canonical)

    def _loader(self, expected: ShapeFormat | None) -> Any:
        from clara_compat.engine.transforms.load_nifti import LoadNiftid

        told = expected is not None and expected.is_channeled()
        channels_first = expected == ShapeFormat.CDHW if told else self.nii_is_channels_first
        return LoadNiftid("image", self.dtype, channels_first, self.as_closest_canonical)
