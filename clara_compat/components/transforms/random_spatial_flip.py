"""Clara's ``RandomSpatialFlip``."""

from __future__ import annotations

from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.transforms._random import RandomFields

__all__ = ["RandomSpatialFlip"]


class RandomSpatialFlip(RandomFields):
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

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the flip."""
        return Entry(self.becomes, keys=self.fields, prob=self.probability)
