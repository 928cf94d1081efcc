"""Clara's ``RandomGaussianSmooth``."""

from __future__ import annotations

from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.transforms._random import RandomFields

__all__ = ["RandomGaussianSmooth"]


class RandomGaussianSmooth(RandomFields):
    """Smooth images by a Gaussian of a random width.

    The name was seen in configs with ``fields`` only, nothing is documented.

    Args:
        fields: fields that hold images; the same widths for all of them.
        probability: of changing an item.

    Raises:
        ClaraError: the probability is out of range.
    """

    fidelity = assumed(
        "not documented: MONAI's default ranges with probability 0.5, a Gaussian of standard deviation U(0.25, 1.5) "
        "voxels along each axis, the same for all fields; beyond the border the image counts as 0"
    )
    becomes = "monai.transforms.RandGaussianSmoothd"

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the augmentation."""
        return Entry(
            "RandGaussianSmoothd",
            keys=self.fields,
            prob=self.probability,
            sigma_x=[0.25, 1.5],
            sigma_y=[0.25, 1.5],
            sigma_z=[0.25, 1.5],
            approx="erf",
        )
