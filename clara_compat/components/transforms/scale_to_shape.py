"""Clara's ``ScaleToShape``."""

from __future__ import annotations

from clara_compat.common.dtype_utils import str_to_bool
from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.transforms.multi_field_transformer import MultiFieldTransformer
from clara_compat.components.transforms.native import Geometry
from clara_compat.components.transforms.resizing import ResizingTransform, interpolation
from clara_compat.errors import ClaraError

__all__ = ["ScaleToShape"]


class ScaleToShape(ResizingTransform):
    """Resize images to a number of voxels.

    Source: clara-3.1-transforms facts, sections 4.3 and 10 (the name only).

    Args:
        fields: fields that hold images.
        target_shape: voxels per spatial axis, without the channels.
        is_label: take the nearest voxel instead of interpolating linearly.

    Raises:
        ClaraError: there are not 2 or 3 positive numbers.
    """

    fidelity = assumed(
        "only the name is known; arguments as in ScaleByResolution: linear (labels: nearest), the scan's extent is "
        "kept, spacing and affine follow"
    )
    becomes = "clara_compat.engine.transforms.resize.ResizeToShaped"
    undocumented = True

    def __init__(self, fields: str | list[str], target_shape: list[int], is_label: bool = False) -> None:
        MultiFieldTransformer.__init__(self, fields)
        self.target_shape = [int(n) for n in target_shape]
        self.is_label = str_to_bool(is_label)
        if len(self.target_shape) not in (2, 3) or min(self.target_shape) < 1:
            raise ClaraError(
                f"argument 'target_shape' is {list(target_shape)}, expected 2 or 3 positive numbers of voxels"
            )

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the resizing."""
        return Entry(self.becomes, keys=self.fields, spatial_size=self.target_shape, mode=interpolation(self.is_label))

    def new_size(self, field: str, geometry: Geometry) -> tuple[int, ...]:
        """Return the target shape."""
        if len(geometry.size) != len(self.target_shape):
            raise ClaraError(
                f"the target shape {self.target_shape} has {len(self.target_shape)} numbers, but field '{field}' has "
                f"{len(geometry.size)} spatial axes"
            )
        return tuple(self.target_shape)
