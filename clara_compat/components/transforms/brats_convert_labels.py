"""Clara's ``BratsConvertLabels``."""

from __future__ import annotations

from clara_compat.components.component import assumed
from clara_compat.components.transforms._names import BRATS_CLASSES, brats_groups
from clara_compat.components.transforms.convert_to_multi_channel_based_on_brats_classes import (
    ConvertToMultiChannelBasedOnBratsClasses,
)

__all__ = ["BratsConvertLabels"]


class BratsConvertLabels(ConvertToMultiChannelBasedOnBratsClasses):
    """Turn the labels of BraTS into one 0/1 channel per class.

    Args:
        fields: fields that hold labels 0, 1, 2 and 4 in one channel.
        classes: the classes, in the order of the channels; None: TC, WT, ET.

    Raises:
        ClaraError: there is no such class.
    """

    fidelity = assumed(
        "not documented: taken to be ConvertToMultiChannelBasedOnBratsClasses under another name, with classes as its "
        "class_names"
    )

    def __init__(self, fields: str | list[str], classes: list[str] | None = None) -> None:
        self.classes = list(BRATS_CLASSES) if classes is None else list(classes)
        brats_groups(self.classes, "classes")
        super().__init__(fields, self.classes)
