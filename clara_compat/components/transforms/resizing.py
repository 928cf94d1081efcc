"""What the transforms that resize their fields have in common."""

from __future__ import annotations

from collections.abc import Mapping

from clara_compat.components.transforms.multi_field_transformer import MultiFieldTransformer
from clara_compat.components.transforms.native import Geometry, NativeTransform

__all__ = ["ResizingTransform", "interpolation"]


class ResizingTransform(NativeTransform, MultiFieldTransformer):
    """A transform that gives its fields another number of voxels over the same extent."""

    def new_size(self, field: str, geometry: Geometry) -> tuple[int, ...]:
        """Return the size that a field of a geometry gets.

        Args:
            field: its name.
            geometry: its size and spacing as they are before.

        Raises:
            ClaraError: the image has another number of spatial axes than this transform is for.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say which size an image gets")

    def propagate(self, geometry: Mapping[str, Geometry]) -> dict[str, Geometry]:
        """Return the geometry with the fields' new size and spacing.

        Args:
            geometry: sizes and spacings by field, as they are before.

        Raises:
            ClaraError: see :meth:`new_size`.
        """
        fields = [field for field in self.fields if field in geometry]
        resized = {field: geometry[field].resized(self.new_size(field, geometry[field])) for field in fields}
        return {**geometry, **resized}


def interpolation(is_label: bool) -> str:
    """Return the ``mode`` of an engine's resizing transform.

    Args:
        is_label: values stand for classes and are not mixed.
    """
    return "nearest-exact" if is_label else "linear"
