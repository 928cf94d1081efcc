"""Clara's ``ThresholdValues``."""

from __future__ import annotations

from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.transforms.multi_field_transformer import MultiFieldTransformer
from clara_compat.components.transforms.native import NativeTransform

__all__ = ["ThresholdValues"]


class ThresholdValues(NativeTransform, MultiFieldTransformer):
    """Set every value to 1 where it reaches the threshold and to 0 elsewhere; the channels stay.

    Source: clara-3.1-transforms facts, sections 4.10 and 10.

    Args:
        fields: fields that hold images, such as probabilities.
        threshold: smallest value that becomes 1.
    """

    fidelity = assumed("not documented: a value that equals the threshold becomes 1; the result is float32")
    becomes = "monai.transforms.AsDiscreted"

    def __init__(self, fields: str | list[str], threshold: float) -> None:
        MultiFieldTransformer.__init__(self, fields)
        self.threshold = float(threshold)

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the threshold."""
        return Entry("AsDiscreted", keys=self.fields, threshold=self.threshold)
