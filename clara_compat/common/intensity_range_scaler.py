"""Map a range of intensities to another one, for user code that works on one image."""

from __future__ import annotations

from typing import Any

import numpy as np

from clara_compat.common.dtype_utils import str_to_dtype
from clara_compat.common.medical_image import MedicalImage
from clara_compat.common.multi_format_transformer import MultiFormatTransformer
from clara_compat.errors import ClaraError

__all__ = ["IntensityRangeScaler"]


class IntensityRangeScaler(MultiFormatTransformer):
    """Maps the intensities ``a_min..a_max`` of an image of any format to ``b_min..b_max``, linearly.

    Only the name is documented (clara-3.1-transforms facts, section 1); the arguments are assumed to be those of the
    component ``ScaleIntensityRange``, which does the same to the fields of an item.

    Args:
        a_min: intensity that becomes ``b_min``.
        a_max: intensity that becomes ``b_max``.
        b_min: see ``a_min``.
        b_max: see ``a_max``.
        clip: limit the result to ``b_min..b_max``.
        dtype: data type of the result, by its name.

    Raises:
        ClaraError: ``a_min`` equals ``a_max``.
    """

    def __init__(
        self, a_min: float, a_max: float, b_min: float, b_max: float, clip: bool = False, dtype: Any = "float32"
    ) -> None:
        if a_min == a_max:
            raise ClaraError(f"a_min and a_max are both {a_min}, expected two different intensities")
        self.a_min = a_min
        self.a_max = a_max
        self.b_min = b_min
        self.b_max = b_max
        self.clip = clip
        self.dtype = str_to_dtype(dtype)

    def _handle_any(self, img: MedicalImage, *args: Any, **kwargs: Any) -> MedicalImage:
        share = (img.get_data().astype(np.float64) - self.a_min) / (self.a_max - self.a_min)
        scaled = share * (self.b_max - self.b_min) + self.b_min
        if self.clip:
            scaled = np.clip(scaled, self.b_min, self.b_max)
        return img.new_image(scaled.astype(self.dtype), img.get_shape_format())
