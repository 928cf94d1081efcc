"""Clara's ``CropForegroundObject``."""

from __future__ import annotations

from collections.abc import Mapping

from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.transforms._checks import FOREGROUND
from clara_compat.components.transforms._crops import check_axes, crop_size, of_size
from clara_compat.components.transforms.multi_field_transformer import MultiFieldTransformer
from clara_compat.components.transforms.native import Geometry, NativeTransform
from clara_compat.errors import ClaraError

__all__ = ["CropForegroundObject"]


class CropForegroundObject(NativeTransform, MultiFieldTransformer):
    """Crop to the bounding box of a label's foreground and resize the box to a fixed size.

    Source: clara-3.1-transforms facts, section 4.7.

    Args:
        fields: fields with images; the label need not be among them.
        size: voxels per spatial axis of the result.
        label_field: field with the label; always cropped and resized too.
        pad: voxels by which the box is grown on each side, as far as the image goes.

    Raises:
        ClaraError: an argument is out of its range.
    """

    fidelity = assumed(
        "interpolation, border and empty labels are not documented: the box of label > 0 grown by pad and clipped to "
        "the image, resized linearly (the label: nearest), the affine follows; without foreground the whole image is "
        f"taken, with a warning; {FOREGROUND}"
    )
    becomes = "clara_compat.engine.transforms.crop_foreground_resized.CropForegroundResized"

    def __init__(self, fields: str | list[str], size: list[int], label_field: str, pad: int = 0) -> None:
        MultiFieldTransformer.__init__(self, fields)
        self.size = crop_size(size)
        self.label_field = label_field
        self.pad = pad
        if pad < 0:
            raise ClaraError(f"argument 'pad' is {pad}, expected a number of voxels of at least 0")

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the crop.

        Raises:
            ClaraError: ``size`` has another number of axes than the images.
        """
        check_axes(self.size, context.spatial_dims)
        return Entry(
            self.becomes, keys=self.fields, label_key=self.label_field, spatial_size=self.size, margin=self.pad
        )

    def propagate(self, geometry: Mapping[str, Geometry]) -> dict[str, Geometry]:
        """Return the geometry with fields and label of the new size, and the largest voxels they can have.

        Which voxels they get depends on the label; when it fills the image, these.
        """
        fields = dict.fromkeys([*self.fields, self.label_field])
        checked = of_size(geometry, fields, self.size)
        resized = {field: geometry[field].resized(self.size) for field in fields if field in geometry}
        return {**checked, **resized}
