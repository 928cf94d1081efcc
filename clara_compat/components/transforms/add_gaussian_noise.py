"""Clara's ``AddGaussianNoise``."""

from __future__ import annotations

import math

from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.transforms._random import RandomFields
from clara_compat.errors import ClaraError

__all__ = ["AddGaussianNoise"]


class AddGaussianNoise(RandomFields):
    """Add Gaussian noise of mean 0 to the voxels.

    Source: clara-3.1-transforms facts, sections 4.5 (the signature is documented) and 10.

    Args:
        fields: fields that hold images; each is decided on and drawn for by itself.
        probability: of changing a field.
        variance: of the noise, the square of its standard deviation.

    Raises:
        ClaraError: the variance is negative, or the probability out of range.
    """

    fidelity = assumed(
        "whether 'variance' is one is not documented: taken by its word, standard deviation = sqrt(variance); the "
        "noise is drawn for each voxel of each field, and each field is changed with the probability by itself"
    )
    becomes = "monai.transforms.RandGaussianNoised"

    def __init__(self, fields: str | list[str], probability: float = 0.5, variance: float = 0.1) -> None:
        super().__init__(fields, probability)
        self.variance = float(variance)
        if not 0 <= self.variance < math.inf:
            raise ClaraError(f"argument 'variance' is {variance}, expected a number of at least 0")

    def bundle_entry(self, context: BundleContext) -> list[Entry]:
        """Return the noise, one entry per field: a single one adds the same noise to all of them."""
        return [
            Entry(
                "RandGaussianNoised",
                keys=[field],
                prob=self.probability,
                mean=0.0,
                std=math.sqrt(self.variance),
                dtype="float32",
                sample_std=False,
            )
            for field in self.fields
        ]
