"""A user's Clara transform as a MONAI dictionary transform."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from monai.transforms import RandomizableTrait, Transform

from clara_compat.common.transform_ctx import TransformContext
from clara_compat.engine.legacy.views import from_context, to_context
from clara_compat.errors import ClaraError

__all__ = ["LegacyTransform", "RandomLegacyTransform", "legacy_transform"]


class _ClaraTransformer(Protocol):
    """What a user's transform has, whether or not it derives from ``Transformer``."""

    def transform(self, transform_ctx: TransformContext) -> TransformContext:
        """Change the context and return it."""

    def is_deterministic(self) -> bool:
        """Whether the same input always gives the same result."""


class LegacyTransform(Transform):
    """Runs ``transform(transform_ctx)`` of a Clara transformer on an item.

    The item's tensors appear as ``MedicalImage`` in the layout of their ``ShapeFormat``; other entries (paths ahead of
    a loader, points, class labels) as they are.

    Args:
        transform: the user's object.
    """

    def __init__(self, transform: _ClaraTransformer) -> None:
        self.transform = transform
        self.name = type(transform).__name__

    def __call__(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Return the item as the user's code left it."""
        context = to_context(data)
        result = self.transform.transform(context)
        if result is None:
            result = context
        if not isinstance(result, TransformContext):
            raise ClaraError(
                f"{self.name}.transform returned a {type(result).__name__}: expected the TransformContext it was given"
            )
        return from_context(result, data, self.name)


class RandomLegacyTransform(LegacyTransform, RandomizableTrait):
    """A transform whose ``is_deterministic()`` is False: MONAI's caches run it, and what follows, every time."""


def legacy_transform(transform: _ClaraTransformer) -> LegacyTransform:
    """Wrap a user's transformer; ``is_deterministic()`` decides whether MONAI may cache its result."""
    if not callable(getattr(transform, "transform", None)):
        raise ClaraError(f"{type(transform).__name__} has no method transform(self, transform_ctx)")
    deterministic = getattr(transform, "is_deterministic", None)
    random = callable(deterministic) and not deterministic()
    return RandomLegacyTransform(transform) if random else LegacyTransform(transform)
