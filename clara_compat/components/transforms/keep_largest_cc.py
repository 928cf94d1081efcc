"""Clara's ``KeepLargestCC``."""

from __future__ import annotations

from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.transforms.multi_field_transformer import MultiFieldTransformer
from clara_compat.components.transforms.native import NativeTransform

__all__ = ["KeepLargestCC"]


class KeepLargestCC(NativeTransform, MultiFieldTransformer):
    """Keep the largest connected object of a label and set the rest to 0.

    Source: clara-3.1-transforms facts, sections 4.10 (the name only) and 9.

    Args:
        fields: fields that hold labels or masks.
    """

    undocumented = True
    fidelity = assumed(
        "nothing but the name is known: labels above 0 that touch, also by an edge or a corner, are one object "
        "whatever their values; every channel by itself"
    )
    becomes = "clara_compat.engine.transforms.keep_largest_component.KeepLargestComponentd"

    def __init__(self, fields: str | list[str]) -> None:
        MultiFieldTransformer.__init__(self, fields)

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the search for the largest object."""
        return Entry(self.becomes, keys=self.fields)
