"""Clara's ``RepeatChannel``."""

from __future__ import annotations

from collections.abc import Mapping

from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.transforms.multi_field_transformer import MultiFieldTransformer
from clara_compat.components.transforms.native import Geometry, NativeTransform
from clara_compat.errors import ClaraError

__all__ = ["RepeatChannel"]


class RepeatChannel(NativeTransform, MultiFieldTransformer):
    """Repeat every channel.

    Source: clara-3.1-transforms facts, section 4.2.

    Args:
        fields: fields that hold images.
        repeats: how often each channel is there afterwards.
    """

    undocumented = True
    fidelity = assumed(
        "only the name is known: as the MONAI transform of that name, which came from Clara, the copies of a channel "
        "follow each other (c0, c0, c1, c1); an image without channel axis gets one in front"
    )
    becomes = "monai.transforms.RepeatChanneld"

    def __init__(self, fields: str | list[str], repeats: int) -> None:
        MultiFieldTransformer.__init__(self, fields)
        if repeats < 1:
            raise ClaraError(f"argument 'repeats' is {repeats}, expected a whole number of at least 1")
        self.repeats = repeats

    def bundle_entry(self, context: BundleContext) -> list[Entry]:
        """Return the channel axis and the copies along it."""
        return [
            Entry("clara_compat.engine.transforms.channels.LabelChannelsd", keys=self.fields),
            Entry("RepeatChanneld", keys=self.fields, repeats=self.repeats),
        ]

    def propagate(self, geometry: Mapping[str, Geometry]) -> dict[str, Geometry]:
        """Return the geometry with the fields' new number of channels."""
        return {
            field: one._replace(channels=one.channels * self.repeats) if field in self.fields else one
            for field, one in geometry.items()
        }
