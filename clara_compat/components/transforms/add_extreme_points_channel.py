"""Clara's ``AddExtremePointsChannel``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.transforms._checks import FOREGROUND, dtype_name
from clara_compat.components.transforms._names import check_same_size, new_fields
from clara_compat.components.transforms.native import Geometry, NativeTransform
from clara_compat.components.transforms.transformer import Transformer
from clara_compat.errors import ClaraError

__all__ = ["AddExtremePointsChannel"]


class AddExtremePointsChannel(NativeTransform, Transformer):
    """Append a channel to the image that marks the extreme points of its label, two per spatial axis.

    Source: clara-3.1-transforms facts, section 4.9 (the signature is documented).

    Args:
        image_field: field with the image.
        label_field: field with its label; foreground is what is above 0.
        dtype: data type of the result.
        sigma: standard deviation of the Gaussian at each point, voxels; above 0.
        permutation: by how many voxels at most each coordinate is moved at random; at least 0.
        rescale_min: value of the channel far from the points.
        rescale_max: value at the points.
        points_channel_field: field in which the channel is stored as well, or None.

    Raises:
        ClaraError: an argument is out of its range.
    """

    fidelity = assumed(
        "only the signature is documented: of equally extreme voxels the one nearest to their middle is taken, "
        "permutation moves each coordinate by U(-permutation, permutation) voxels, the channel is appended last, and "
        f"points_channel_field is a field that gets it too; a label without foreground is an error; {FOREGROUND}"
    )
    becomes = "clara_compat.engine.transforms.extreme_points.AddExtremePointsd"

    def __init__(
        self,
        image_field: str,
        label_field: str,
        dtype: Any = "float32",
        sigma: float = 3,
        permutation: float = 0,
        rescale_min: float = -1.0,
        rescale_max: float = 1.0,
        points_channel_field: str | None = None,
    ) -> None:
        Transformer.__init__(self)
        if not 0 < sigma < math.inf:
            raise ClaraError(f"argument 'sigma' is {sigma}, expected a number of voxels above 0")
        if not 0 <= permutation < math.inf:
            raise ClaraError(f"argument 'permutation' is {permutation}, expected a number of voxels of at least 0")
        if not rescale_min < rescale_max:
            raise ClaraError(
                f"rescale_min and rescale_max are {rescale_min} and {rescale_max}, expected the first to be lower"
            )
        self.image_field = image_field
        self.label_field = label_field
        self.dtype = dtype_name(dtype)
        self.sigma = sigma
        self.permutation = permutation
        self.rescale_min = rescale_min
        self.rescale_max = rescale_max
        self.points_channel_field = points_channel_field
        if points_channel_field is not None:
            for field in (image_field, label_field):
                new_fields([points_channel_field], "points_channel_field", field)

    def is_deterministic(self) -> bool:
        """Return whether the points stay where they are."""
        return self.permutation == 0

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the marking: another class when the points move, as only that one is random."""
        arguments: dict[str, Any] = {
            "keys": self.image_field,
            "label_key": self.label_field,
            "sigma": self.sigma,
            "rescale_min": self.rescale_min,
            "rescale_max": self.rescale_max,
            "dtype": self.dtype,
            "points_key": self.points_channel_field,
        }
        if self.is_deterministic():
            return Entry(self.becomes, **arguments)
        module = self.becomes.rpartition(".")[0]
        return Entry(f"{module}.RandAddExtremePointsd", perturbation=self.permutation, **arguments)

    def propagate(self, geometry: Mapping[str, Geometry]) -> dict[str, Geometry]:
        """Return the geometry with one more channel in the image, and the new field.

        Raises:
            ClaraError: image and label differ in size.
        """
        check_same_size(self.label_field, self.image_field, geometry)
        out = dict(geometry)
        if image := geometry.get(self.image_field):
            out[self.image_field] = image._replace(channels=image.channels + 1)
        if self.points_channel_field is not None and self.label_field in geometry:
            out[self.points_channel_field] = geometry[self.label_field]._replace(channels=1)
        return out
