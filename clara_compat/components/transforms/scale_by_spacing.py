"""Clara's ``ScaleBySpacing``."""

from __future__ import annotations

from clara_compat.components.component import assumed
from clara_compat.components.transforms.scale_by_resolution import ScaleByResolution

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
    argument = "target_spacing"

    def __init__(self, fields: str | list[str], target_spacing: list[float], is_label: bool = False) -> None:
        ScaleByResolution.__init__(self, fields, target_spacing, is_label)
