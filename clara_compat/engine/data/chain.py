"""What a cache asks of a chain of transforms."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from monai.transforms import Compose, RandomizableTrait, Transform

from clara_compat.engine.legacy.transform import LegacyTransform

__all__ = ["cached_length", "has_users_code"]


def cached_length(transform: Compose) -> int:
    """Return how many transforms stand in front of the first one that must run every time.

    Args:
        transform: the chain.
    """
    first = transform.get_index_of_first(lambda t: isinstance(t, RandomizableTrait) or not isinstance(t, Transform))
    return len(transform.transforms) if first is None else int(first)


def has_users_code(transforms: Iterable[Any]) -> bool:
    """Whether a transform that the user wrote for Clara is among them.

    Args:
        transforms: of a chain.
    """
    return any(isinstance(one, LegacyTransform) for one in transforms)
