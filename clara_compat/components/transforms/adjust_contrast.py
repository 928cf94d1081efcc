"""Clara's ``AdjustContrast``."""

from __future__ import annotations

import math

from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.transforms._random import RandomFields
from clara_compat.errors import ClaraError

__all__ = ["AdjustContrast"]


class AdjustContrast(RandomFields):
    """Bend the intensities by a random power between the image's minimum and maximum, which stay.

    Source: clara-3.1-transforms facts, sections 4.5 (formula and range: MONAI's port by the same authors) and 10.

    Args:
        fields: fields that hold images; one power for all of them.
        probability: of changing an item.
        min_gamma: smallest power, above 0.
        max_gamma: largest power.

    Raises:
        ClaraError: the powers are not positive or not in order, or the probability is out of range.
    """

    fidelity = assumed(
        "defaults and law are not documented: as in MONAI's port with probability 0.5 one gamma U(0.5, 4.5) for all "
        "fields, x becomes ((x - min) / (range + 1e-7)) ^ gamma * range + min over the whole image"
    )
    becomes = "monai.transforms.RandAdjustContrastd"

    def __init__(
        self,
        fields: str | list[str],
        probability: float = 0.5,
        min_gamma: float = 0.5,
        max_gamma: float = 4.5,
    ) -> None:
        super().__init__(fields, probability)
        self.min_gamma = min_gamma
        self.max_gamma = max_gamma
        if not 0 < min_gamma <= max_gamma < math.inf:
            raise ClaraError(
                f"min_gamma and max_gamma are {min_gamma} and {max_gamma}, expected positive numbers in this order"
            )

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the augmentation."""
        return Entry(
            "RandAdjustContrastd",
            keys=self.fields,
            prob=self.probability,
            gamma=[self.min_gamma, self.max_gamma],
            invert_image=False,
            retain_stats=False,
        )
