"""Clara's ``RandomSharpen``."""

from __future__ import annotations

from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.transforms._random import RandomFields

__all__ = ["RandomSharpen"]


class RandomSharpen(RandomFields):
    """Sharpen images by the difference of two Gaussians.

    The name was seen in configs with ``fields`` only, nothing is documented.

    Args:
        fields: fields that hold images; the same draws for all of them.
        probability: of changing an item.

    Raises:
        ClaraError: the probability is out of range.
    """

    fidelity = assumed(
        "not documented: MONAI's default ranges with probability 0.5, smoothed + alpha x (smoothed - smoothed twice), "
        "alpha U(10, 30), first standard deviation U(0.5, 1) voxels along each axis, second one from 0.5 to the first, "
        "the same for all fields; beyond the border the image counts as 0"
    )
    becomes = "monai.transforms.RandGaussianSharpend"

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the augmentation."""
        return Entry(
            "RandGaussianSharpend",
            keys=self.fields,
            prob=self.probability,
            sigma1_x=[0.5, 1.0],
            sigma1_y=[0.5, 1.0],
            sigma1_z=[0.5, 1.0],
            sigma2_x=0.5,
            sigma2_y=0.5,
            sigma2_z=0.5,
            alpha=[10.0, 30.0],
            approx="erf",
        )
