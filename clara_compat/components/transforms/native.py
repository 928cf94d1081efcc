"""What every built-in transform has in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from clara_compat.common.medical_image import MedicalImage
from clara_compat.common.transform_ctx import TransformContext
from clara_compat.components.component import Component
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.transforms.transformer import Transformer
from clara_compat.errors import ClaraError

__all__ = ["Geometry", "NativeTransform"]

_FIELD_ARGUMENTS = ("field", "image_field", "label_field", "mask_field", "src_field", "from_field")


class Geometry(NamedTuple):
    """What a header says about an image, followed through a chain.

    Attributes:
        size: voxels per spatial axis.
        spacing: mm per spatial axis.
        channels: number of channels.
        original: voxels per spatial axis as the image was loaded; None when no header told.
    """

    size: tuple[int, ...]
    spacing: tuple[float, ...]
    channels: int = 1
    original: tuple[int, ...] | None = None

    def resized(self, size: Sequence[int]) -> Geometry:
        """Return the geometry of the same extent with another number of voxels.

        Raises:
            ClaraError: it has another number of axes.
        """
        if len(size) != len(self.size):
            raise ClaraError(f"an image of {len(self.size)} spatial axes cannot get the size {list(size)}")
        spacing = tuple(one * n / m for one, n, m in zip(self.spacing, self.size, size, strict=True))
        return self._replace(size=tuple(size), spacing=spacing)


class NativeTransform(Component, Transformer):
    """A built-in transform: runs as MONAI transforms, and answers ``transform(ctx)`` for users who subclass it."""

    batches: int | None = None
    """How many items it makes of one, as a list (a batching crop, also with 1); None when it gives one item."""

    cacheable: ClassVar[bool] = True
    """Whether its result may be kept for later epochs; a deterministic tap that must see every pass says no."""

    def transform(self, transform_ctx: TransformContext) -> TransformContext:
        """Run the bundle entry on a view of the context, as a user's subclass calling ``super().transform`` expects."""
        from clara_compat.engine.legacy.native import run_entries

        fields = [field for field in self.used_fields() if field in transform_ctx]
        values = [transform_ctx[field] for field in (*fields, *transform_ctx)]
        images = [value for value in values if isinstance(value, MedicalImage)]
        is_2d = bool(images) and not images[0].get_shape_format().is_3d()
        return run_entries(self._entries(spatial_dims=2 if is_2d else 3), transform_ctx, type(self).__name__)

    def native_entries(self, **place: Any) -> list[Entry] | None:
        """Return the entries this becomes, or None for a user's subclass that has a ``transform`` of its own.

        Args:
            place: where it stands, by the names of :class:`BundleContext`.
        """
        return self._entries(**place) if type(self).transform is NativeTransform.transform else None

    def _entries(self, **place: Any) -> list[Entry]:
        entries = self.bundle_entry(BundleContext(**place))
        return entries if isinstance(entries, list) else [entries]

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
