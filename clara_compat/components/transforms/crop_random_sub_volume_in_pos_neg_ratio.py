"""Clara's ``CropRandomSubVolumeInPosNegRatio``."""

from __future__ import annotations

from clara_compat.components.component import assumed
from clara_compat.components.transforms._checks import FOREGROUND
from clara_compat.components.transforms._pos_neg_crop import CENTRES, PosNegCrop

__all__ = ["CropRandomSubVolumeInPosNegRatio"]


class CropRandomSubVolumeInPosNegRatio(PosNegCrop):
    """Cut one region around a foreground or background voxel.

    Source: clara-3.1-transforms facts, sections 4.8 and 10.

    Args:
        size: voxels per spatial axis.
        fields: fields with images; the label need not be among them.
        label_field: field with the label; always cut too.
        pos: weight of foreground centres.
        neg: weight of background centres.

    Raises:
        ClaraError: an argument is out of its range.
    """

    fidelity = assumed(
        "only the name is known: the arguments are those of CropByPosNegRatio without batch_size, and so is the law: "
        f"{CENTRES}; one region, not a batch; {FOREGROUND}"
    )
    undocumented = True

    def __init__(
        self, size: list[int], fields: str | list[str], label_field: str, pos: float = 1, neg: float = 1
    ) -> None:
        super().__init__(size, fields, label_field, pos, neg, None)
