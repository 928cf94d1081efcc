"""Clara's ``CopyProperties``."""

from __future__ import annotations

from collections.abc import Mapping

from clara_compat.common.constants import ImageProperty
from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.transforms.multi_field_transformer import MultiFieldTransformer
from clara_compat.components.transforms.native import Geometry, NativeTransform
from clara_compat.errors import ClaraError

__all__ = ["CopyProperties"]


class CopyProperties(NativeTransform, MultiFieldTransformer):
    """Copy properties of one image to others, such as the affine of the scan to what the network made of it.

    Source: clara-3.1-transforms facts, section 4.10.

    Args:
        fields: fields whose images get the properties.
        from_field: field whose image has them.
        properties: their names, such as ``affine``, ``original_affine``, ``as_canonical``, ``spacing``.

    Raises:
        ClaraError: no property is named.
    """

    fidelity = assumed(
        "not documented: a property that from_field does not have is an error; an image of another size than "
        "from_field's is taken to cover the same extent, and affine and spacing are scaled to its grid, with a "
        "warning; other properties are copied as they are"
    )
    becomes = "clara_compat.engine.transforms.copy_properties.CopyPropertiesd"

    def __init__(self, fields: str | list[str], from_field: str, properties: list[str]) -> None:
        MultiFieldTransformer.__init__(self, fields)
        self.from_field = from_field
        self.properties = list(properties)
        if not self.properties or not all(self.properties):
            raise ClaraError(
                f"argument 'properties' is {list(properties)}, expected names of properties such as [\"affine\"]"
            )

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the copy."""
        return Entry(self.becomes, keys=self.fields, source_key=self.from_field, properties=self.properties)

    def propagate(self, geometry: Mapping[str, Geometry]) -> dict[str, Geometry]:
        """Return the geometry, with the source's spacing, scaled to the size, where affine or spacing is copied."""
        if self.from_field not in geometry or not {ImageProperty.AFFINE, ImageProperty.SPACING} & set(self.properties):
            return dict(geometry)
        source, out = geometry[self.from_field], dict(geometry)
        for field in self.fields:
            if field in geometry:
                size = geometry[field].size
                scaled = source.resized(size) if len(size) == len(source.size) else source
                out[field] = geometry[field]._replace(spacing=scaled.spacing)
        return out
