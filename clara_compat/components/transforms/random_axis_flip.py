"""Clara's ``RandomAxisFlip``."""

from __future__ import annotations

from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.transforms._random import RandomFields

__all__ = ["RandomAxisFlip"]


class RandomAxisFlip(RandomFields):
    """Flip along one spatial axis chosen at random, the same for all fields.

    Source: clara-3.1-transforms facts, sections 4.6 and 10.

    Args:
        fields: fields that hold images of one number of axes.
        probability: of flipping an item.

    Raises:
        ClaraError: the probability is out of range.
    """

    fidelity = assumed(
        "the law is not documented: with the probability (0.5 when not given) one spatial axis, each equally likely, "
        "as in MONAI's transform of that name"
    )
    becomes = "monai.transforms.RandAxisFlipd"

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the flip."""
        return Entry("RandAxisFlipd", keys=self.fields, prob=self.probability)
