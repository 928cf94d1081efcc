"""Clara's ``SplitBasedOnLabel``."""

from __future__ import annotations

from collections.abc import Mapping

from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.transforms._names import new_fields, split_labels
from clara_compat.components.transforms.native import Geometry, NativeTransform
from clara_compat.components.transforms.transformer import Transformer

__all__ = ["SplitBasedOnLabel"]


class SplitBasedOnLabel(NativeTransform, Transformer):
    """Make one new 0/1 field per label value out of a map of labels.

    Source: clara-3.1-transforms facts, section 4.10.

    Args:
        field: field that holds label values in one channel; it stays.
        label_names: names of the new fields: the one at position i is of the value i, so the first is background.

    Raises:
        ClaraError: a name is empty, there twice, or the field's own.
    """

    fidelity = assumed(
        "not documented: position i of label_names is the label value i, as real configurations show; the new fields "
        "are float32 with one channel and carry the properties of the field"
    )
    becomes = "clara_compat.engine.transforms.label_groups.SplitLabelGroupsd"

    def __init__(self, field: str, label_names: list[str]) -> None:
        Transformer.__init__(self)
        self.field = field
        self.label_names = new_fields(label_names, "label_names", field)

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the split."""
        groups = [[value] for value in range(len(self.label_names))]
        return Entry(self.becomes, key=self.field, groups=groups, output_keys=self.label_names)

    def propagate(self, geometry: Mapping[str, Geometry]) -> dict[str, Geometry]:
        """Return the geometry with the new fields.

        Raises:
            ClaraError: the field has more than one channel.
        """
        return split_labels(geometry, self.field, self.label_names)
