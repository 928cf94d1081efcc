"""Clara's ``ScaleByResolution``."""

from __future__ import annotations

import math
from typing import ClassVar

from clara_compat.common.dtype_utils import str_to_bool
from clara_compat.common.resampling import resampled_size
from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.transforms.multi_field_transformer import MultiFieldTransformer
from clara_compat.components.transforms.native import Geometry
from clara_compat.components.transforms.resizing import ResizingTransform, interpolation
from clara_compat.errors import ClaraError

__all__ = ["ScaleByResolution"]


class ScaleByResolution(ResizingTransform):
    """Resample images to a voxel size.

    Source: clara-3.1-transforms facts, sections 4.3 and 10.

    Args:
        fields: fields that hold images.
        target_resolution: voxel size in mm, in the order of the array's axes.
        is_label: take the nearest voxel instead of interpolating linearly.

    Raises:
        ClaraError: there are not 2 or 3 positive numbers.
    """

    fidelity = assumed(
        "interpolation, rounding and what happens to spacing and affine are not documented: linear (labels: nearest), "
        "new size = size x spacing / target rounded half to even, the scan's extent is kept, spacing and affine follow"
    )
    becomes = "clara_compat.engine.transforms.resize_to_spacing.ResizeToSpacingd"
    argument: ClassVar[str] = "target_resolution"
    """The name of the argument with the voxel size."""

    def __init__(self, fields: str | list[str], target_resolution: list[float], is_label: bool = False) -> None:
        MultiFieldTransformer.__init__(self, fields)
        self.target_resolution = [float(one) for one in target_resolution]
        self.is_label = str_to_bool(is_label)
        if len(self.target_resolution) not in (2, 3) or not all(0 < one < math.inf for one in self.target_resolution):
            raise ClaraError(
                f"argument '{self.argument}' is {list(target_resolution)}, expected 2 or 3 positive numbers of mm"
            )

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the resampling."""
        return Entry(self.becomes, keys=self.fields, pixdim=self.target_resolution, mode=interpolation(self.is_label))

    def new_size(self, field: str, geometry: Geometry) -> tuple[int, ...]:
        """Return the size over the spacing."""
        size, spacing = geometry.size, geometry.spacing
        if len(size) != len(self.target_resolution):
            raise ClaraError(
                f"the target resolution {self.target_resolution} has {len(self.target_resolution)} numbers, but field "
                f"'{field}' has {len(size)} spatial axes"
            )
        if not all(0 < one < math.inf for one in spacing):
            raise ClaraError(f"field '{field}' has the spacing {spacing}, expected positive numbers")
        return resampled_size(size, spacing, self.target_resolution)
