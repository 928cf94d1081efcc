"""Clara's ``NormalizeNonzeroIntensities``."""

from __future__ import annotations

from typing import Any

from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.transforms._checks import dtype_name
from clara_compat.components.transforms.multi_field_transformer import MultiFieldTransformer
from clara_compat.components.transforms.native import NativeTransform

__all__ = ["NormalizeNonzeroIntensities"]


class NormalizeNonzeroIntensities(NativeTransform, MultiFieldTransformer):
    """Give the voxels of each channel that are not 0 a mean of 0 and a standard deviation of 1.

    Source: clara-3.1-transforms facts, section 4.4.

    Args:
        fields: fields that hold images.
        dtype: data type of the result.
    """

    fidelity = assumed(
        "mean and standard deviation per channel are not documented but usual (BraTS recipe); zeros stay 0, an image "
        "of zeros stays as it is, a standard deviation of 0 divides by 1"
    )
    becomes = "clara_compat.engine.transforms.normalize_nonzero.NormalizeNonzeroIntensityd"

    def __init__(self, fields: str | list[str], dtype: Any = "float32") -> None:
        MultiFieldTransformer.__init__(self, fields)
        self.dtype = dtype_name(dtype)

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the normalisation; MONAI's own would write into the image it is given, which may be cached."""
        return Entry(self.becomes, keys=self.fields, dtype=self.dtype)
