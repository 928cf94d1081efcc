"""Clara's ``RandomSpatialFlip``."""

from __future__ import annotations

from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.transforms._checks import probability_in_range
from clara_compat.components.transforms.multi_field_transformer import MultiFieldTransformer
from clara_compat.components.transforms.native import NativeTransform

__all__ = ["RandomSpatialFlip"]


class RandomSpatialFlip(NativeTransform, MultiFieldTransformer):
    """Flip each spatial axis at random, the same axes for all fields.

    Source: clara-3.1-transforms facts, section 4.6.

    Args:
        fields: fields that hold images.
        probability: of flipping an axis.
    """

    fidelity = assumed(
        "not documented: each spatial axis is flipped by itself with probability 0.5, as in the BraTS 2018 recipe"
    )
    becomes = "clara_compat.engine.transforms.spatial_flip.RandSpatialFlipd"

    def __init__(self, fields: str | list[str], probability: float = 0.5) -> None:
        MultiFieldTransformer.__init__(self, fields)
        self.probability = probability_in_range(probability)

    def is_deterministic(self) -> bool:
        """Return False."""
        return False

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the flip."""
        return Entry(self.becomes, keys=self.fields, prob=self.probability)
