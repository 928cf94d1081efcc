"""Clara's ``RestoreOriginalShape``."""

from __future__ import annotations

from collections.abc import Mapping

from clara_compat.common.dtype_utils import str_to_bool
from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.transforms.native import Geometry, NativeTransform
from clara_compat.components.transforms.resizing import interpolation
from clara_compat.components.transforms.transformer import Transformer
from clara_compat.errors import ClaraError

__all__ = ["RestoreOriginalShape"]


class RestoreOriginalShape(NativeTransform, Transformer):
    """Resize an image, such as a prediction, to the size with which another one was loaded.

    Crops and pads in between are not undone.

    Source: clara-3.1-transforms facts, section 4.3.

    Args:
        field: field with the image to resize.
        src_field: field with the image that knows its original shape.
        is_label: take the nearest voxel instead of interpolating linearly.
    """

    fidelity = assumed(
        "the interpolation is not documented: linear (labels: nearest); a plain resize to the shape as loaded, which "
        "undoes no crop or pad; channels stay, spacing and affine follow"
    )
    becomes = "clara_compat.engine.transforms.resize.ResizeToOriginalShaped"

    def __init__(self, field: str, src_field: str, is_label: bool = False) -> None:
        Transformer.__init__(self)
        self.field = field
        self.src_field = src_field
        self.is_label = str_to_bool(is_label)

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the resizing."""
        return Entry(self.becomes, keys=[self.field], source_key=self.src_field, mode=interpolation(self.is_label))

    def propagate(self, geometry: Mapping[str, Geometry]) -> dict[str, Geometry]:
        """Return the geometry with the field as large as the source was loaded, where its header told.

        Raises:
            ClaraError: it was loaded with another number of axes.
        """
        source = geometry.get(self.src_field)
        if source is None or source.original is None or self.field not in geometry:
            return dict(geometry)
        field = geometry[self.field]
        if len(field.size) != len(source.original):
            raise ClaraError(
                f"field '{self.field}' has {len(field.size)} spatial axes, but '{self.src_field}' was loaded with "
                f"{len(source.original)}"
            )
        return {**geometry, self.field: field.resized(source.original)}
