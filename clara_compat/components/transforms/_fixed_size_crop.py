"""What the crops to a fixed size have in common."""

from __future__ import annotations

from collections.abc import Mapping

from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.transforms._crops import check_axes, crop_size, of_size
from clara_compat.components.transforms.multi_field_transformer import MultiFieldTransformer
from clara_compat.components.transforms.native import Geometry, NativeTransform

__all__ = ["FixedSizeCrop"]


class FixedSizeCrop(NativeTransform, MultiFieldTransformer):
    """Crop to a fixed size; where an image is smaller, pad it with zeros and say so.

    Args:
        fields: fields that hold images.
        size: voxels per spatial axis.

    Raises:
        ClaraError: the size is not 2 or 3 positive numbers.
    """

    def __init__(self, fields: str | list[str], size: list[int]) -> None:
        MultiFieldTransformer.__init__(self, fields)
        self.size = crop_size(size)

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the crop.

        Raises:
            ClaraError: ``size`` has another number of axes than the images.
        """
        check_axes(self.size, context.spatial_dims)
        return Entry(self.becomes, keys=self.fields, spatial_size=self.size)

    def propagate(self, geometry: Mapping[str, Geometry]) -> dict[str, Geometry]:
        """Return the geometry with the fields of the crop's size."""
        return of_size(geometry, self.fields, self.size)
