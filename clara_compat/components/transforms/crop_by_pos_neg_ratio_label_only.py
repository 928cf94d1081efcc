"""Clara's ``CropByPosNegRatioLabelOnly``."""

from __future__ import annotations

from clara_compat.components.component import assumed
from clara_compat.components.transforms.crop_by_pos_neg_ratio import CropByPosNegRatio

__all__ = ["CropByPosNegRatioLabelOnly"]


class CropByPosNegRatioLabelOnly(CropByPosNegRatio):
    """Cut ``batch_size`` regions around foreground or background voxels of the label: a list of items.

    Source: clara-3.1-transforms facts, sections 4.8, 5 and 10.

    The arguments are those of ``CropByPosNegRatio``.
    """

    fidelity = assumed(
        "only the name is known: the arguments and the law are those of CropByPosNegRatio, whose centres follow from "
        "the label alone too"
    )
    undocumented = True
