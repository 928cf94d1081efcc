"""Clara's ``SymmetricPadderDiv``."""

from __future__ import annotations

from collections.abc import Mapping

from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.transforms.multi_field_transformer import MultiFieldTransformer
from clara_compat.components.transforms.native import Geometry, NativeTransform
from clara_compat.errors import ClaraError

__all__ = ["SymmetricPadderDiv"]


class SymmetricPadderDiv(NativeTransform, MultiFieldTransformer):
    """Pad images on both sides until every spatial axis is a multiple of a number.

    Source: clara-3.1-transforms facts, section 4.7.

    Args:
        fields: fields that hold images.
        div_int: the number.

    Raises:
        ClaraError: the number is below 1.
    """

    fidelity = assumed(
        "value and rounding are not documented: zeros, along all spatial axes, and of an odd number of voxels the "
        "smaller half in front"
    )
    becomes = "monai.transforms.DivisiblePadd"

    def __init__(self, fields: str | list[str], div_int: int) -> None:
        MultiFieldTransformer.__init__(self, fields)
        self.div_int = div_int
        if div_int < 1:
            raise ClaraError(f"argument 'div_int' is {div_int}, expected a whole number of at least 1")

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the padding."""
        return Entry("DivisiblePadd", keys=self.fields, k=self.div_int, mode="constant", method="symmetric")

    def propagate(self, geometry: Mapping[str, Geometry]) -> dict[str, Geometry]:
        """Return the geometry with the padded sizes."""
        fields = [field for field in self.fields if field in geometry]
        return {**geometry, **{field: self._padded(geometry[field]) for field in fields}}

    def _padded(self, geometry: Geometry) -> Geometry:
        return geometry._replace(size=tuple(-(-n // self.div_int) * self.div_int for n in geometry.size))
