"""Clara's ``FastCropByPosNegRatio``."""

from __future__ import annotations

from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext
from clara_compat.components.transforms._checks import FOREGROUND
from clara_compat.components.transforms._crops import check_batch_size
from clara_compat.components.transforms._pos_neg_crop import BATCH, PosNegCrop

__all__ = ["FastCropByPosNegRatio"]


class FastCropByPosNegRatio(PosNegCrop):
    """Cut ``batch_size`` regions around foreground or background voxels out of one item: a list of items.

    Source: clara-3.1-transforms facts, sections 4.8, 5 and 10.

    Args:
        size: voxels per spatial axis.
        fields: fields with images; the label need not be among them.
        label_field: field with the label; always cut too.
        pos: weight of foreground centres.
        neg: weight of background centres.
        batch_size: number of regions, given as a list (also 1).
        batches_to_gen_at_once: accepted; at least 1.

    Raises:
        ClaraError: an argument is out of its range.
    """

    fidelity = assumed(
        f"{BATCH}; batches_to_gen_at_once, in Clara how many batches are drawn from a loaded volume before the next is "
        f"loaded, changes nothing: here every step takes a volume of its own; {FOREGROUND}"
    )

    def __init__(
        self,
        size: list[int],
        fields: str | list[str],
        label_field: str,
        pos: float = 1,
        neg: float = 1,
        batch_size: int = 1,
        batches_to_gen_at_once: int = 1,
    ) -> None:
        super().__init__(size, fields, label_field, pos, neg, batch_size)
        check_batch_size(batches_to_gen_at_once, "batches_to_gen_at_once")
        self.batches_to_gen_at_once = batches_to_gen_at_once

    def notices(self, context: BundleContext) -> list[str]:
        """Say that ``batches_to_gen_at_once`` changes nothing."""
        if self.batches_to_gen_at_once == 1:
            return []
        said = f"batches_to_gen_at_once is {self.batches_to_gen_at_once}"
        return [f"{said}: Clara drew so many batches from a volume in a row; here every step takes a volume of its own"]
