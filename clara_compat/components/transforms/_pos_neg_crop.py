"""What the crops by the ratio of foreground to background have in common."""

from __future__ import annotations

from collections.abc import Mapping

from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.transforms._crops import check_axes, check_batch_size, check_weights, crop_size, cut_out
from clara_compat.components.transforms.multi_field_transformer import MultiFieldTransformer
from clara_compat.components.transforms.native import Geometry, NativeTransform

__all__ = ["BATCH", "CENTRES", "RARE_CASES", "PosNegCrop"]

CENTRES = "a centre is a foreground voxel with probability pos / (pos + neg), then the region is moved inside the image"
RARE_CASES = "without foreground background is taken, a crop larger than the image is an error"
BATCH = (
    f"defaults and rare cases are not documented: pos, neg, batch_size are 1; {CENTRES}; {RARE_CASES}; later random "
    "transforms draw for each region by itself, where Clara may have drawn once for the batch"
)
"""Parts of notes on fidelity: where the regions lie, and what the crops that make batches have in common."""


class PosNegCrop(NativeTransform, MultiFieldTransformer):
    """Cut regions around foreground or background voxels out of ``fields`` and ``label_field``.

    Args:
        size: voxels per spatial axis.
        fields: fields with images; the label need not be among them.
        label_field: field with the label; always cut too.
        pos: weight of foreground centres.
        neg: weight of background centres.
        batch_size: number of regions, each with its own draws, as a list (also 1); one region and no list when None.

    Raises:
        ClaraError: an argument is out of its range.
    """

    becomes = "clara_compat.engine.transforms.crop_pos_neg_roi.RandCropPosNegROId"

    def __init__(
        self,
        size: list[int],
        fields: str | list[str],
        label_field: str,
        pos: float,
        neg: float,
        batch_size: int | None,
    ) -> None:
        MultiFieldTransformer.__init__(self, fields)
        self.size = crop_size(size)
        check_weights(pos, neg)
        if batch_size is not None:
            check_batch_size(batch_size)
        self.label_field = label_field
        self.pos = pos
        self.neg = neg
        self.batch_size = self.batches = batch_size

    def is_deterministic(self) -> bool:
        """Return False."""
        return False

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the crop.

        Raises:
            ClaraError: ``size`` has another number of axes than the images.
        """
        check_axes(self.size, context.spatial_dims)
        return Entry(
            self.becomes,
            image_keys=self.fields,
            label_key=self.label_field,
            spatial_size=self.size,
            pos=self.pos,
            neg=self.neg,
            num_samples=self.batch_size,
        )

    def propagate(self, geometry: Mapping[str, Geometry]) -> dict[str, Geometry]:
        """Return the geometry with fields and label of the crop's size.

        Raises:
            ClaraError: the crop is larger than an image.
        """
        return cut_out(geometry, [*self.fields, self.label_field], self.size)
