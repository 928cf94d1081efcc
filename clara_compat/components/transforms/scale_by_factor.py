"""Clara's ``ScaleByFactor``."""

from __future__ import annotations

import math

from clara_compat.common.dtype_utils import str_to_bool
from clara_compat.common.resampling import scaled_size
from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.transforms.multi_field_transformer import MultiFieldTransformer
from clara_compat.components.transforms.native import Geometry
from clara_compat.components.transforms.resizing import ResizingTransform, interpolation
from clara_compat.errors import ClaraError

__all__ = ["ScaleByFactor"]


class ScaleByFactor(ResizingTransform):
    """Resize images by a factor.

    Source: clara-3.1-transforms facts, sections 4.3 and 10.

    Args:
        fields: fields that hold images.
        factor: new size over old size, one for all spatial axes or one per axis.
        is_label: take the nearest voxel instead of interpolating linearly.

    Raises:
        ClaraError: a factor is not positive, or there are not 1, 2 or 3 of them.
    """

    fidelity = assumed(
        "interpolation, rounding and what happens to spacing and affine are not documented: linear (labels: nearest), "
        "new size = size x factor rounded half to even, the scan's extent is kept, spacing and affine follow"
    )
    becomes = "clara_compat.engine.transforms.resize.ResizeByFactord"

    def __init__(self, fields: str | list[str], factor: float | list[float], is_label: bool = False) -> None:
        MultiFieldTransformer.__init__(self, fields)
        given = factor if isinstance(factor, (list, tuple)) else [factor]
        factors = [float(one) for one in given]
        if len(factors) not in ((2, 3) if given is factor else (1,)) or not all(0 < one < math.inf for one in factors):
            raise ClaraError(
                f"argument 'factor' is {factor}, expected a positive number or a list of 2 or 3, one per spatial axis"
            )
        self.factor = factors if given is factor else factors[0]
        self.is_label = str_to_bool(is_label)

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the resizing."""
        return Entry(self.becomes, keys=self.fields, factor=self.factor, mode=interpolation(self.is_label))

    def new_size(self, field: str, geometry: Geometry) -> tuple[int, ...]:
        """Return the size times the factor."""
        size = geometry.size
        factors = self.factor if isinstance(self.factor, list) else [self.factor] * len(size)
        if len(factors) != len(size):
            raise ClaraError(f"there are {len(factors)} factors, but field '{field}' has {len(size)} spatial axes")
        return scaled_size(size, factors)
