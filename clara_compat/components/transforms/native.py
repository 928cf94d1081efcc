"""What every built-in transform has in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from clara_compat.common.medical_image import MedicalImage
from clara_compat.common.transform_ctx import TransformContext
from clara_compat.components.component import Component
from clara_compat.components.entry import BundleContext

__all__ = ["Geometry", "NativeTransform"]

_FIELD_ARGUMENTS = ("field", "image_field", "label_field", "mask_field", "src_field", "from_field")


class Geometry(NamedTuple):
    """What a header says about an image, followed through a chain.

    Attributes:
        size: voxels per spatial axis.
        spacing: mm per spatial axis.
        channels: number of channels.
    """

    size: tuple[int, ...]
    spacing: tuple[float, ...]
    channels: int = 1

    def resized(self, size: Sequence[int]) -> Geometry:
        """Return the geometry of the same extent with another number of voxels."""
        spacing = tuple(one * n / m for one, n, m in zip(self.spacing, self.size, size, strict=True))
        return self._replace(size=tuple(size), spacing=spacing)


class NativeTransform(Component):
    """A built-in transform: runs as MONAI transforms, and answers ``transform(ctx)`` for users who subclass it."""

    def transform(self, transform_ctx: TransformContext) -> TransformContext:
        """Run the bundle entry on a view of the context, as a user's subclass calling ``super().transform`` expects."""
        from clara_compat.engine.legacy.native import run_entries

        images = [value for value in transform_ctx.values() if isinstance(value, MedicalImage)]
        is_2d = bool(images) and not images[0].get_shape_format().is_3d()
        entries = self.bundle_entry(BundleContext(spatial_dims=2 if is_2d else 3))
        return run_entries(entries if isinstance(entries, list) else [entries], transform_ctx, type(self).__name__)

    def used_fields(self) -> list[str]:
        """Return the fields it needs: ``fields``, or those its other arguments name."""
        named = [getattr(self, name, None) for name in _FIELD_ARGUMENTS]
        return [*getattr(self, "fields", []), *(field for field in named if isinstance(field, str))]

    def propagate(self, geometry: Mapping[str, Geometry]) -> dict[str, Geometry]:
        """Return the fields' geometry after this transform, from headers alone.

        Fields that are not in ``geometry`` are left alone; fields that the transform makes are added.

        Raises:
            ClaraError: the transform cannot run on an image of this geometry.
        """
        return dict(geometry)
