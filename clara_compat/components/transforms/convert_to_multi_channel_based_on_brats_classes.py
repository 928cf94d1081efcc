"""Clara's ``ConvertToMultiChannelBasedOnBratsClasses``."""

from __future__ import annotations

from collections.abc import Mapping

from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.transforms._names import BRATS_CLASSES, brats_groups, with_channels
from clara_compat.components.transforms.multi_field_transformer import MultiFieldTransformer
from clara_compat.components.transforms.native import Geometry, NativeTransform

__all__ = ["ConvertToMultiChannelBasedOnBratsClasses"]


class ConvertToMultiChannelBasedOnBratsClasses(NativeTransform, MultiFieldTransformer):
    """Turn the labels of BraTS into one 0/1 channel per class, which overlap: TC is 1 or 4, WT 1, 2 or 4, ET 4.

    Source: clara-3.1-transforms facts, section 4.9.

    Args:
        fields: fields that hold labels 0, 1, 2 and 4 in one channel.
        class_names: the classes, in the order of the channels; None: TC, WT, ET.

    Raises:
        ClaraError: there is no such class.
    """

    fidelity = assumed(
        "not documented: the classes are those of MONAI's transform of this name, in the order of class_names (TC, WT, "
        "ET when it is left out); the result is float32"
    )
    becomes = "clara_compat.engine.transforms.label_groups.LabelGroupsToChannelsd"

    def __init__(self, fields: str | list[str], class_names: list[str] | None = None) -> None:
        MultiFieldTransformer.__init__(self, fields)
        self.class_names = list(BRATS_CLASSES) if class_names is None else list(class_names)
        self.groups = brats_groups(self.class_names, "class_names")

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the conversion."""
        return Entry(self.becomes, keys=self.fields, groups=self.groups)

    def propagate(self, geometry: Mapping[str, Geometry]) -> dict[str, Geometry]:
        """Return the geometry with one channel per class.

        Raises:
            ClaraError: a field has more than one channel.
        """
        return with_channels(geometry, self.fields, len(self.groups))
