"""Clara's ``FetchExtremePoints``."""

from __future__ import annotations

from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.transforms._checks import FOREGROUND
from clara_compat.components.transforms._names import new_fields
from clara_compat.components.transforms.native import NativeTransform
from clara_compat.components.transforms.transformer import Transformer

__all__ = ["FetchExtremePoints"]


class FetchExtremePoints(NativeTransform, Transformer):
    """Write the extreme points of a mask, two per spatial axis, as a list of voxel indices of the original image.

    Source: clara-3.1-transforms facts, section 4.10.

    Args:
        image_field: field with the image, which knows its original shape and orientation.
        label_field: field with the mask; foreground is what is above 0.
        points: field that gets the list: one list of whole numbers per point.
    """

    fidelity = assumed(
        "the details are not documented: lowest and highest point along each axis in turn, of equally extreme voxels "
        "the one nearest to their middle, in voxels of the image's file: scaled by original shape / current shape "
        "(crops are not undone, just as RestoreOriginalShape does not), and with the file's axes also when the loader "
        f"turned them; an empty mask gives an empty list and a warning; {FOREGROUND}"
    )
    becomes = "clara_compat.engine.transforms.extreme_points.FetchExtremePointsd"

    def __init__(self, image_field: str, label_field: str, points: str = "points") -> None:
        Transformer.__init__(self)
        self.image_field = image_field
        self.label_field = label_field
        for field in (image_field, label_field):
            new_fields([points], "points", field)
        self.points = points

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the search for the points."""
        return Entry(self.becomes, image_key=self.image_field, label_key=self.label_field, points_key=self.points)
