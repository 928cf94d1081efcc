"""Clara's ``CenterData``."""

from __future__ import annotations

import math
from typing import Any

from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.transforms._checks import dtype_name
from clara_compat.components.transforms.multi_field_transformer import MultiFieldTransformer
from clara_compat.components.transforms.native import NativeTransform
from clara_compat.errors import ClaraError

__all__ = ["CenterData"]


class CenterData(NativeTransform, MultiFieldTransformer):
    """Subtract a number from the intensities and divide by another one.

    Source: clara-3.1-transforms facts, sections 4.4 and 10 (the name only).

    Args:
        fields: fields that hold images.
        subtrahend: None for the mean of the whole image, all channels together.
        divisor: None for the standard deviation of the whole image, all channels together.
        dtype: data type of the result.

    Raises:
        ClaraError: the divisor is 0, or one of the two is not finite.
    """

    fidelity = assumed(
        "only the name is known: (x - subtrahend) / divisor, where left out the mean and the standard deviation of the "
        "whole image; a standard deviation of 0 divides by 1"
    )
    becomes = "monai.transforms.NormalizeIntensityd"
    undocumented = True

    def __init__(
        self,
        fields: str | list[str],
        subtrahend: float | None = None,
        divisor: float | None = None,
        dtype: Any = "float32",
    ) -> None:
        MultiFieldTransformer.__init__(self, fields)
        if divisor == 0 or not all(math.isfinite(one) for one in (subtrahend, divisor) if one is not None):
            raise ClaraError(
                f"subtrahend and divisor are {subtrahend} and {divisor}, expected numbers and a divisor other than 0"
            )
        self.subtrahend = subtrahend
        self.divisor = divisor
        self.dtype = dtype_name(dtype)

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the normalisation."""
        return Entry(
            "NormalizeIntensityd",
            keys=self.fields,
            subtrahend=self.subtrahend,
            divisor=self.divisor,
            nonzero=False,
            channel_wise=False,
            dtype=self.dtype,
        )
