"""Clara's ``CropByPosNegRatio``."""

from __future__ import annotations

from clara_compat.components.component import assumed
from clara_compat.components.transforms._checks import FOREGROUND
from clara_compat.components.transforms._pos_neg_crop import BATCH, PosNegCrop

__all__ = ["CropByPosNegRatio"]


class CropByPosNegRatio(PosNegCrop):
    """Cut ``batch_size`` regions around foreground or background voxels out of one item: a list of items.

    Source: clara-3.1-transforms facts, sections 4.8, 5 and 10.

    Args:
        size: voxels per spatial axis.
        fields: fields with images; the label need not be among them.
        label_field: field with the label; always cut too.
        pos: weight of foreground centres.
        neg: weight of background centres.
        batch_size: number of regions, given as a list (also 1).

    Raises:
        ClaraError: an argument is out of its range.
    """

    fidelity = assumed(
        f"{BATCH}; the arguments are taken to be those of FastCropByPosNegRatio, which searches faster in Clara, and "
        f"here alike; {FOREGROUND}"
    )

    def __init__(
        self,
        size: list[int],
        fields: str | list[str],
        label_field: str,
        pos: float = 1,
        neg: float = 1,
        batch_size: int = 1,
    ) -> None:
        super().__init__(size, fields, label_field, pos, neg, batch_size)
