"""Clara's ``ScaleByResolution``."""

from __future__ import annotations

import math
from collections.abc import Mapping

from clara_compat.common.dtype_utils import str_to_bool
from clara_compat.common.resampling import resampled_size
from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.transforms.multi_field_transformer import MultiFieldTransformer
from clara_compat.components.transforms.native import Geometry, NativeTransform
from clara_compat.errors import ClaraError

__all__ = ["ScaleByResolution"]


class ScaleByResolution(NativeTransform, MultiFieldTransformer):
    """Resample images to a voxel size.

    Source: clara-3.1-transforms facts, sections 4.3 and 10.

    Args:
        fields: fields that hold images.
        target_resolution: voxel size in mm, in the order of the array's axes.
        is_label: take the nearest voxel instead of interpolating linearly.
    """

    fidelity = assumed(
        "interpolation, rounding and what happens to spacing and affine are not documented: linear (labels: nearest), "
        "new size = size x spacing / target rounded half to even, the scan's extent is kept, spacing and affine follow"
    )
    becomes = "clara_compat.engine.transforms.resize_to_spacing.ResizeToSpacingd"

    def __init__(self, fields: str | list[str], target_resolution: list[float], is_label: bool = False) -> None:
        MultiFieldTransformer.__init__(self, fields)
        self.target_resolution = [float(one) for one in target_resolution]
        self.is_label = str_to_bool(is_label)
        if len(self.target_resolution) not in (2, 3) or not all(0 < one < math.inf for one in self.target_resolution):
            raise ClaraError(
                f"argument 'target_resolution' is {list(target_resolution)}, expected 2 or 3 positive numbers of mm"
            )

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the resampling."""
        return Entry(
            self.becomes,
            keys=self.fields,
            pixdim=self.target_resolution,
            mode="nearest-exact" if self.is_label else "linear",
        )

    def propagate(self, geometry: Mapping[str, Geometry]) -> dict[str, Geometry]:
        """Return the geometry with the fields' new size and spacing."""
        fields = [field for field in self.fields if field in geometry]
        return {**geometry, **{field: self._resampled(field, geometry[field]) for field in fields}}

    def _resampled(self, field: str, geometry: Geometry) -> Geometry:
        size, spacing = geometry.size, geometry.spacing
        if len(size) != len(self.target_resolution):
            raise ClaraError(
                f"the target resolution {self.target_resolution} has {len(self.target_resolution)} numbers, but field "
                f"'{field}' has {len(size)} spatial axes"
            )
        if not all(0 < one < math.inf for one in spacing):
            raise ClaraError(f"field '{field}' has the spacing {spacing}, expected positive numbers")
        return geometry.resized(resampled_size(size, spacing, self.target_resolution))
