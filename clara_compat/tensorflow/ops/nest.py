"""``tf.nest``: lists, tuples and dictionaries in each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from clara_compat.tensorflow.registry import symbol

__all__ = ["flatten", "map_structure"]


@symbol("nest.flatten", "contrib.framework.nest.flatten")
def flatten(structure: Any, expand_composites: bool = False) -> list[Any]:
    """Return what is inside a structure as a list; of a dictionary in the order of its sorted keys."""
    if isinstance(structure, dict):
        return [one for key in sorted(structure) for one in flatten(structure[key])]
    if isinstance(structure, list | tuple):
        return [one for part in structure for one in flatten(part)]
    return [structure]


@symbol("nest.map_structure", "contrib.framework.nest.map_structure")
def map_structure(func: Callable[..., Any], *structure: Any, **_: Any) -> Any:
    """Return a structure of what a function gives of the values at the same places of structures."""
    first = structure[0]
    if isinstance(first, dict):
        return {key: map_structure(func, *(one[key] for one in structure)) for key in first}
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        return type(first)(*(map_structure(func, *parts) for parts in zip(*structure, strict=True)))
    if isinstance(first, list | tuple):
        return type(first)(map_structure(func, *parts) for parts in zip(*structure, strict=True))
    return func(*structure)
