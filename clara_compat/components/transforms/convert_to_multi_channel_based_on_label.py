"""Clara's ``ConvertToMultiChannelBasedOnLabel``."""

from __future__ import annotations

from collections.abc import Mapping

from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.transforms._names import with_channels
from clara_compat.components.transforms.multi_field_transformer import MultiFieldTransformer
from clara_compat.components.transforms.native import Geometry, NativeTransform
from clara_compat.errors import ClaraError

__all__ = ["ConvertToMultiChannelBasedOnLabel"]


class ConvertToMultiChannelBasedOnLabel(NativeTransform, MultiFieldTransformer):
    """Turn label values into one 0/1 channel per value: channel i is 1 where the label is i.

    Source: clara-3.1-transforms facts, section 4.9 (the name only).

    Args:
        fields: fields that hold the whole numbers 0 to ``num_classes`` - 1 in one channel.
        num_classes: number of channels, background among them.

    Raises:
        ClaraError: there is less than one class.
    """

    undocumented = True
    fidelity = assumed(
        "nothing but the name is known: one-hot with num_classes channels, the first is background; a label below 0 or "
        "of num_classes or more is an error"
    )
    becomes = "clara_compat.engine.transforms.label_groups.LabelsToOneHotd"

    def __init__(self, fields: str | list[str], num_classes: int) -> None:
        MultiFieldTransformer.__init__(self, fields)
        if num_classes < 1:
            raise ClaraError(f"argument 'num_classes' is {num_classes}, expected a number of at least 1")
        self.num_classes = num_classes

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the conversion."""
        return Entry(self.becomes, keys=self.fields, num_classes=self.num_classes)

    def propagate(self, geometry: Mapping[str, Geometry]) -> dict[str, Geometry]:
        """Return the geometry with one channel per class.

        Raises:
            ClaraError: a field has more than one channel.
        """
        return with_channels(geometry, self.fields, self.num_classes)
