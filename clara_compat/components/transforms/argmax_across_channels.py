"""Clara's ``ArgmaxAcrossChannels``."""

from __future__ import annotations

from collections.abc import Mapping

from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.transforms.multi_field_transformer import MultiFieldTransformer
from clara_compat.components.transforms.native import Geometry, NativeTransform

__all__ = ["ArgmaxAcrossChannels"]


class ArgmaxAcrossChannels(NativeTransform, MultiFieldTransformer):
    """Replace the channels of an image by the number of the largest one, voxel by voxel.

    Source: clara-3.1-transforms facts, section 4.10.

    Args:
        fields: fields that hold images of one channel per class.
    """

    fidelity = assumed("not documented: the result is float32 and keeps a channel axis of 1")
    becomes = "monai.transforms.AsDiscreted"

    def __init__(self, fields: str | list[str]) -> None:
        MultiFieldTransformer.__init__(self, fields)

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the choice of the largest channel."""
        return Entry("AsDiscreted", keys=self.fields, argmax=True)

    def propagate(self, geometry: Mapping[str, Geometry]) -> dict[str, Geometry]:
        """Return the geometry with one channel in the fields."""
        return {**geometry, **{f: geometry[f]._replace(channels=1) for f in self.fields if f in geometry}}
