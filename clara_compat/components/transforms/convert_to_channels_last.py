"""Clara's ``ConvertToChannelsLast``."""

from __future__ import annotations

from clara_compat.components.component import exact
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.transforms.multi_field_transformer import MultiFieldTransformer
from clara_compat.components.transforms.native import NativeTransform

__all__ = ["ConvertToChannelsLast"]


class ConvertToChannelsLast(NativeTransform, MultiFieldTransformer):
    """Put the channel axis behind the others: added when there is none, moved when it is first, left when it is last.

    Source: clara-3.1-transforms facts, section 4.2.

    Args:
        fields: fields that hold images.
    """

    fidelity = exact("images are channel-first inside at all times: only the layout shown to user code changes")
    becomes = "clara_compat.engine.transforms.channels.ConvertToChannelsLastd"

    def __init__(self, fields: str | list[str]) -> None:
        MultiFieldTransformer.__init__(self, fields)

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the change of the label."""
        return Entry(self.becomes, keys=self.fields)
