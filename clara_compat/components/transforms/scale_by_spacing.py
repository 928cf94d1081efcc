"""Clara's ``ScaleBySpacing``."""

from __future__ import annotations

import math

from clara_compat.components.component import assumed
from clara_compat.components.transforms.scale_by_resolution import ScaleByResolution
from clara_compat.errors import ClaraError

__all__ = ["ScaleBySpacing"]


class ScaleBySpacing(ScaleByResolution):
    """Resample images to a voxel size, as ``ScaleByResolution`` does.

    Source: clara-3.1-transforms facts, sections 4.3 and 10 (the name only).

    Args:
        fields: fields that hold images.
        target_spacing: voxel size in mm, in the order of the array's axes.
        is_label: take the nearest voxel instead of interpolating linearly.

    Raises:
        ClaraError: there are not 2 or 3 positive numbers.
    """

    fidelity = assumed(
        "only the name is known; arguments and rule as in ScaleByResolution: linear (labels: nearest), new size = size "
        "x spacing / target rounded half to even, the scan's extent is kept, spacing and affine follow"
    )
    undocumented = True

    def __init__(self, fields: str | list[str], target_spacing: list[float], is_label: bool = False) -> None:
        if len(target_spacing) not in (2, 3) or not all(0 < float(one) < math.inf for one in target_spacing):
            raise ClaraError(
                f"argument 'target_spacing' is {list(target_spacing)}, expected 2 or 3 positive numbers of mm"
            )
        ScaleByResolution.__init__(self, fields, target_spacing, is_label)
