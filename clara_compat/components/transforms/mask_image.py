"""Clara's ``MaskImage``."""

from __future__ import annotations

from collections.abc import Mapping

from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.transforms._names import check_same_size
from clara_compat.components.transforms.native import Geometry, NativeTransform
from clara_compat.components.transforms.transformer import Transformer
from clara_compat.errors import ClaraError

__all__ = ["MaskImage"]


class MaskImage(NativeTransform, Transformer):
    """Set an image to 0 where its mask is not above 0.

    Source: clara-3.1-transforms facts, section 4.9.

    Args:
        image_field: field with the image.
        mask_field: field with the mask: one channel for all channels of the image, or one for each.
    """

    fidelity = assumed("not documented: the image becomes 0 where the mask is not above 0, whatever stands there")
    becomes = "clara_compat.engine.transforms.mask_image.MaskImaged"

    def __init__(self, image_field: str, mask_field: str) -> None:
        Transformer.__init__(self)
        self.image_field = image_field
        self.mask_field = mask_field

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the masking."""
        return Entry(self.becomes, keys=[self.image_field], mask_key=self.mask_field)

    def propagate(self, geometry: Mapping[str, Geometry]) -> dict[str, Geometry]:
        """Return the geometry as it was.

        Raises:
            ClaraError: image and mask differ in size, or the mask has neither one channel nor the image's number.
        """
        check_same_size(self.mask_field, self.image_field, geometry)
        if {self.mask_field, self.image_field} <= geometry.keys():
            mask, image = (geometry[field].channels for field in (self.mask_field, self.image_field))
            if mask not in (1, image):
                raise ClaraError(
                    f"field '{self.mask_field}' has {mask} channels and field '{self.image_field}' {image}: expected a "
                    "mask of one channel, or of one per channel of the image"
                )
        return dict(geometry)
