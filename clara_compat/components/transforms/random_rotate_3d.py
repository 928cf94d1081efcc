"""Clara's ``RandomRotate3D``."""

from __future__ import annotations

from collections.abc import Mapping

from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.transforms._random import RandomFields
from clara_compat.components.transforms.native import Geometry

__all__ = ["RandomRotate3D"]


class RandomRotate3D(RandomFields):
    """Turn by one, two or three quarter turns in the plane of the first two spatial axes, the same for all fields.

    Source: clara-3.1-transforms facts, section 4.6.

    Args:
        fields: fields that hold images.
        probability: of turning an item.

    Raises:
        ClaraError: the probability is out of range.
    """

    fidelity = assumed(
        "the law is not documented: with the probability (0.5 when not given) 90, 180 or 270 degrees, each equally "
        "likely, in the plane of the first two spatial axes, as its predecessor's name and Clara 4.0 say"
    )
    becomes = "monai.transforms.RandRotate90d"

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the turn."""
        return Entry("RandRotate90d", keys=self.fields, prob=self.probability, max_k=3, spatial_axes=[0, 1])

    def propagate(self, geometry: Mapping[str, Geometry]) -> dict[str, Geometry]:
        """Return the geometry of the smallest image this can give: the first two axes may have changed places."""
        if self.probability == 0:
            return dict(geometry)
        fields = [field for field in self.fields if field in geometry]
        return {**geometry, **{field: _smallest(geometry[field]) for field in fields}}


def _smallest(geometry: Geometry) -> Geometry:
    (height, width, *depth), (row, column, *slices) = geometry.size, geometry.spacing
    size, spacing = min(height, width), min(row, column)
    return geometry._replace(size=(size, size, *depth), spacing=(spacing, spacing, *slices))
