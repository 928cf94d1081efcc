"""Clara's ``CropRandomSizeWithDisplacement``."""

from __future__ import annotations

from collections.abc import Mapping

from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.transforms._crops import check_axes, crop_size, cut_out
from clara_compat.components.transforms.multi_field_transformer import MultiFieldTransformer
from clara_compat.components.transforms.native import Geometry, NativeTransform
from clara_compat.errors import ClaraError

__all__ = ["CropRandomSizeWithDisplacement"]


class CropRandomSizeWithDisplacement(NativeTransform, MultiFieldTransformer):
    """Cut a region of random size whose centre is displaced at random from the image's, the same of all fields.

    Source: clara-3.1-transforms facts, sections 4.7 and 9.

    Args:
        fields: fields that hold images of one shape.
        lower_size: smallest size, voxels per spatial axis.
        max_displacement: how far the centre may lie from the image's, in voxels: one number, or one per spatial axis;
            anywhere inside the image when None.

    Raises:
        ClaraError: an argument is out of its range.
    """

    fidelity = assumed(
        "the law is not documented: per axis a size U{lower_size..image size}, then a place uniform over those inside "
        "the image whose centre is at most max_displacement voxels from the image's (any place when not given); a "
        "lower_size above the image's size is an error"
    )
    becomes = "clara_compat.engine.transforms.crop_random_size.RandCropDisplacedd"

    def __init__(
        self, fields: str | list[str], lower_size: list[int], max_displacement: int | list[int] | None = None
    ) -> None:
        MultiFieldTransformer.__init__(self, fields)
        self.lower_size = crop_size(lower_size, "lower_size")
        self.max_displacement = max_displacement
        if max_displacement is None:
            return
        limits = [max_displacement] * len(lower_size) if isinstance(max_displacement, int) else max_displacement
        if len(limits) != len(lower_size) or min(limits) < 0:
            raise ClaraError(
                f"argument 'max_displacement' is {max_displacement}, expected a number of voxels of at least 0, or one "
                f"for each of the {len(lower_size)} axes of lower_size"
            )

    def is_deterministic(self) -> bool:
        """Return False."""
        return False

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the crop.

        Raises:
            ClaraError: ``lower_size`` has another number of axes than the images.
        """
        check_axes(self.lower_size, context.spatial_dims)
        return Entry(self.becomes, keys=self.fields, lower_size=self.lower_size, max_displacement=self.max_displacement)

    def propagate(self, geometry: Mapping[str, Geometry]) -> dict[str, Geometry]:
        """Return the geometry of the smallest image this can give.

        Raises:
            ClaraError: the smallest crop is larger than an image.
        """
        return cut_out(geometry, self.fields, self.lower_size)
