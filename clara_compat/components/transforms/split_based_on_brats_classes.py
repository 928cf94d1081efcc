"""Clara's ``SplitBasedOnBratsClasses``."""

from __future__ import annotations

from collections.abc import Mapping

from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.transforms._names import BRATS_CLASSES, brats_groups, new_fields, split_labels
from clara_compat.components.transforms.native import Geometry, NativeTransform
from clara_compat.components.transforms.transformer import Transformer

__all__ = ["SplitBasedOnBratsClasses"]


class SplitBasedOnBratsClasses(NativeTransform, Transformer):
    """Make one new 0/1 field per class of BraTS out of a map of labels: TC is 1 or 4, WT 1, 2 or 4, ET 4.

    Source: clara-3.1-transforms facts, section 4.9 (the name only).

    Args:
        field: field that holds labels 0, 1, 2 and 4 in one channel; it stays.
        class_names: the classes, which are the names of the new fields as well; None: TC, WT, ET.

    Raises:
        ClaraError: there is no such class, or one is there twice.
    """

    undocumented = True
    fidelity = assumed(
        "nothing but the name is known: one new field per class, named after it, with the classes of "
        "ConvertToMultiChannelBasedOnBratsClasses"
    )
    becomes = "clara_compat.engine.transforms.label_groups.SplitLabelGroupsd"

    def __init__(self, field: str, class_names: list[str] | None = None) -> None:
        Transformer.__init__(self)
        self.field = field
        names = list(BRATS_CLASSES) if class_names is None else list(class_names)
        self.groups = brats_groups(names, "class_names")
        self.class_names = new_fields(names, "class_names", field)

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the split."""
        return Entry(self.becomes, key=self.field, groups=self.groups, output_keys=self.class_names)

    def propagate(self, geometry: Mapping[str, Geometry]) -> dict[str, Geometry]:
        """Return the geometry with the new fields.

        Raises:
            ClaraError: the field has more than one channel.
        """
        return split_labels(geometry, self.field, self.class_names)
