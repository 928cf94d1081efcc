"""A user's Clara transform as a MONAI dictionary transform."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from monai.transforms import RandomizableTrait, ReduceTrait, Transform

from clara_compat.common.transform_ctx import TransformContext
from clara_compat.engine.legacy.callables import CallableTransformer
from clara_compat.engine.legacy.native import native_chain
from clara_compat.engine.legacy.stacks import Items, items_of, view_of
from clara_compat.errors import ClaraError

__all__ = ["LegacyTransform", "RandomLegacyTransform", "as_monai_transform", "legacy_transform"]


class _ClaraTransformer(Protocol):
    """What a user's transform has, whether or not it derives from ``Transformer``."""

    def transform(self, transform_ctx: TransformContext) -> TransformContext:
        """Change the context and return it."""


class LegacyTransform(Transform, ReduceTrait):
    """Runs ``transform(transform_ctx)`` of a Clara transformer on an item.

    The item's tensors appear as ``MedicalImage`` in the layout of their ``ShapeFormat``; other entries (paths ahead of
    a loader, points, class labels) as they are. The list of items that a batching crop leaves is handed over at once
    (hence ``ReduceTrait``), its images stacked in a format with N; a result with N becomes such a list.

    Args:
        transform: the user's object.
    """

    def __init__(self, transform: _ClaraTransformer) -> None:
        self.transform = transform
        self.name = transform.name if isinstance(transform, CallableTransformer) else type(transform).__name__

    def __call__(self, data: Items) -> dict[str, Any] | list[dict[str, Any]]:
        """Return the item, or the items, as the user's code left them."""
        context = view_of(data, self.name)
        result = self.transform.transform(context)
        if result is None:
            result = context
        if not isinstance(result, TransformContext):
            raise ClaraError(
                f"{self.name}.transform returned a {type(result).__name__}: expected the TransformContext it was given"
            )
        return items_of(result, data, self.name)


class RandomLegacyTransform(LegacyTransform, RandomizableTrait):
    """A transform whose ``is_deterministic()`` is False: caches run it, and what follows, every time."""


def legacy_transform(transform: _ClaraTransformer, context: Mapping[str, Any] | None = None) -> Transform:
    """Return the MONAI transform of a user's transformer.

    A subclass of a built-in that keeps the built-in's ``transform`` becomes what the built-in becomes (rule 3 of the
    house); everything else is run through :class:`LegacyTransform`. ``is_deterministic()`` decides whether its result
    may be cached.

    Args:
        transform: the user's object; also a callable from dictionary to dictionary.
        context: its place in the config, as a built-in's bundle entry may depend on it.

    Raises:
        ClaraError: it has no method ``transform``.
    """
    if not callable(getattr(transform, "transform", None)):
        if not callable(transform):
            raise ClaraError(f"{type(transform).__name__} has no method transform(self, transform_ctx)")
        return LegacyTransform(CallableTransformer(transform))
    deterministic = getattr(transform, "is_deterministic", None)
    random = callable(deterministic) and not deterministic()
    native = native_chain(transform, context or {}, random=random)
    if native is not None:
        return native
    return RandomLegacyTransform(transform) if random else LegacyTransform(transform)


def as_monai_transform(transform: _ClaraTransformer, *, spatial_dims: int = 3) -> Transform:
    """Return a MONAI dictionary transform that does what a Clara transform does.

    It stands among MONAI's own in any ``Compose``, ``Dataset`` and ``DataLoader``: images are channel-first tensors
    there, and the class sees each as a ``MedicalImage`` in a ``TransformContext``. One whose ``is_deterministic()`` is
    False counts as random for MONAI's caches. A built-in of Clara becomes the MONAI transforms that a config makes of
    it, and so does a subclass that keeps the built-in's ``transform``.

    Args:
        transform: an object of the class, with its arguments.
        spatial_dims: axes of the images without their channels: 2 or 3. Some built-ins become other transforms in 2-D.

    Raises:
        ClaraError: ``transform`` is a class, or has no method ``transform``; the number of axes is another one.

    Example::

        from clara_compat import MultiFieldTransformer, as_monai_transform
        from monai.transforms import Compose, EnsureChannelFirstd, LoadImaged


        class Halve(MultiFieldTransformer):
            def transform(self, transform_ctx):
                for field in self.fields:
                    image = transform_ctx.get_image(field)
                    transform_ctx.set_image(field, image.new_image(image.get_data() / 2, image.get_shape_format()))
                return transform_ctx


        Compose([LoadImaged("image"), EnsureChannelFirstd("image"), as_monai_transform(Halve("image"))])
    """
    if isinstance(transform, type):
        name = transform.__name__
        raise ClaraError(f"{name} is a class, expected an object of it: as_monai_transform({name}(...))")
    if spatial_dims not in {2, 3}:
        raise ClaraError(f"argument 'spatial_dims' is {spatial_dims!r}: expected 2 or 3")
    return legacy_transform(transform, {"spatial_dims": spatial_dims})
