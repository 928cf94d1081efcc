"""Clara's ``RandomZoom``."""

from __future__ import annotations

import math
from collections.abc import Mapping

from clara_compat.common.dtype_utils import str_to_bool
from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.transforms._checks import probability_in_range
from clara_compat.components.transforms.native import Geometry, NativeTransform
from clara_compat.components.transforms.transformer import Transformer
from clara_compat.errors import ClaraError

__all__ = ["RandomZoom"]


class RandomZoom(NativeTransform, Transformer):
    """Zoom image and label alike, by an own random factor along each spatial axis.

    Source: clara-3.1-transforms facts, sections 4.6 and 10.

    Args:
        image_field: field with the image.
        label_field: field with its label.
        lower_limits: smallest factor, one number per spatial axis.
        upper_limits: largest factor, one number per spatial axis.
        keep_size: crop or pad back to the size before.
        probability: of zooming an item.

    Raises:
        ClaraError: the limits are not positive, not in order, or not of one length; the probability is out of range.
    """

    fidelity = assumed(
        "the law is not documented: a factor U(lower, upper) per axis, new size rounded down, linear for the image and "
        "nearest for the label, probability 0.5, and with keep_size padding that continues the border"
    )
    becomes = "monai.transforms.RandZoomd"

    def __init__(
        self,
        image_field: str,
        label_field: str,
        lower_limits: list[float],
        upper_limits: list[float],
        keep_size: bool = False,
        probability: float = 0.5,
    ) -> None:
        Transformer.__init__(self)
        self.image_field = image_field
        self.label_field = label_field
        self.lower_limits = [float(one) for one in lower_limits]
        self.upper_limits = [float(one) for one in upper_limits]
        self.keep_size = str_to_bool(keep_size)
        self.probability = probability_in_range(probability)
        if len(self.lower_limits) != len(self.upper_limits) or not all(
            0 < low <= high < math.inf for low, high in zip(self.lower_limits, self.upper_limits, strict=False)
        ):
            raise ClaraError(
                f"lower_limits {list(lower_limits)} and upper_limits {list(upper_limits)} must be lists of one "
                "positive number per spatial axis, no lower limit above its upper one"
            )

    def is_deterministic(self) -> bool:
        """Return False."""
        return False

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the zoom; the label by ``nearest-exact``, whose voxels lie where the image's do.

        Raises:
            ClaraError: there is not one limit per spatial axis.
        """
        self._check_axes(context.spatial_dims)
        return Entry(
            "RandZoomd",
            keys=[self.image_field, self.label_field],
            prob=self.probability,
            min_zoom=self.lower_limits,
            max_zoom=self.upper_limits,
            mode=["bilinear" if context.spatial_dims == 2 else "trilinear", "nearest-exact"],
            padding_mode="edge",
            keep_size=self.keep_size,
        )

    def propagate(self, geometry: Mapping[str, Geometry]) -> dict[str, Geometry]:
        """Return the geometry of the smallest image this can give.

        Raises:
            ClaraError: the limits do not fit the image, or would leave an axis without voxels.
        """
        if self.keep_size or self.probability == 0:
            return dict(geometry)
        fields = {self.image_field, self.label_field} & geometry.keys()
        return {**geometry, **{field: self._smallest(field, geometry[field]) for field in fields}}

    def _smallest(self, field: str, geometry: Geometry) -> Geometry:
        size = geometry.size
        self._check_axes(len(size))
        factors = [min(low, 1.0) if self.probability < 1 else low for low in self.lower_limits]
        new_size = tuple(math.floor(n * factor) for n, factor in zip(size, factors, strict=True))
        if min(new_size) < 1:
            raise ClaraError(
                f"field '{field}' has {list(size)} voxels at this point: a zoom by {self.lower_limits} leaves an "
                "axis empty"
            )
        return geometry.resized(new_size)

    def _check_axes(self, spatial_dims: int) -> None:
        if len(self.lower_limits) != spatial_dims:
            raise ClaraError(
                f"lower_limits and upper_limits have {len(self.lower_limits)} numbers, but the images have "
                f"{spatial_dims} spatial axes"
            )
