"""Clara's ``ScaleIntensityOscillation``."""

from __future__ import annotations

from typing import Any

from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.transforms._checks import dtype_name
from clara_compat.components.transforms._random import RandomFields

__all__ = ["ScaleIntensityOscillation"]


class ScaleIntensityOscillation(RandomFields):
    """Add one random constant to the whole image.

    Source: clara-3.1-transforms facts, section 4.5.

    Args:
        fields: fields that hold images; each gets its own constant.
        magnitude: the constant is drawn from ``U(-magnitude, magnitude)``.
        probability: of changing a field.
        dtype: data type of the result; the image is cast first.
    """

    fidelity = assumed(
        "not documented: as in NVIDIA's own rewrite one constant U(-magnitude, magnitude) is added, drawn and decided "
        "on per field, every time unless a probability is given, after the cast to dtype (float32)"
    )
    becomes = "clara_compat.engine.transforms.add_constant.RandAddConstantd"

    def __init__(
        self,
        fields: str | list[str],
        magnitude: float,
        probability: float = 1.0,
        dtype: Any = "float32",
    ) -> None:
        super().__init__(fields, probability)
        self.magnitude = magnitude
        self.dtype = dtype_name(dtype)

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the shift."""
        return Entry(
            self.becomes,
            keys=self.fields,
            magnitude=float(self.magnitude),
            prob=self.probability,
            dtype=self.dtype,
        )
