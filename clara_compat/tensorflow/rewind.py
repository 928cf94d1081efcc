"""A user's object, back in the state it had after ``__init__``."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from torch import nn

__all__ = ["Rewind"]


class Rewind:
    """Remembers the attributes of an object, lists and dictionaries one level deep.

    Clara calls a model once and keeps the graph; code that caches (``if self.model is None``) or appends to a list is
    right there and would go wrong when it is called in every step. Layers of torch that were put on the object since
    are kept: they hold weights.

    What is on its attributes, in lists and dictionaries too, and has ``put_back_with_owner`` is put back with it.

    Args:
        target: the object; one that is a ``torch.nn.Module`` itself is left alone.
        known: identities of objects that somebody else puts back.
    """

    def __init__(self, target: Any, known: set[int] | None = None) -> None:
        self._target = target
        self._first = {} if isinstance(target, nn.Module) else _copied(getattr(target, "__dict__", {}))
        known = {id(target)} if known is None else known
        self._parts: list[Rewind] = []
        for value in self._first.values():
            for part in _parts(value):
                if id(part) not in known:
                    known.add(id(part))
                    self._parts.append(Rewind(part, known))

    def back(self) -> None:
        """Put the attributes back."""
        if isinstance(self._target, nn.Module) or not hasattr(self._target, "__dict__"):
            return
        kept = {name: value for name, value in vars(self._target).items() if _modules(name, value)}
        vars(self._target).clear()
        vars(self._target).update({**_copied(self._first), **kept})
        for part in self._parts:
            part.back()

    def modules(self) -> Iterator[tuple[str, nn.Module]]:
        """Yield the layers of torch on the object, with names that fit a ``ModuleDict``."""
        attributes = {} if isinstance(self._target, nn.Module) else getattr(self._target, "__dict__", {})
        for name, value in attributes.items():
            yield from _modules(name, value)


def _copied(attributes: dict[str, Any]) -> dict[str, Any]:
    containers = (list, dict, set)
    return {name: copy.copy(value) if type(value) in containers else value for name, value in attributes.items()}


def _parts(value: Any) -> Iterator[Any]:
    if getattr(value, "put_back_with_owner", False) is True:
        yield value
    elif type(value) in (list, tuple):
        for one in value:
            yield from _parts(one)
    elif type(value) is dict:
        for one in value.values():
            yield from _parts(one)


def _modules(name: str, value: Any) -> list[tuple[str, nn.Module]]:
    if isinstance(value, nn.Module):
        return [(name, value)]
    if isinstance(value, list | tuple):
        return [found for number, item in enumerate(value) for found in _modules(f"{name}_{number}", item)]
    if isinstance(value, dict):
        return [found for key, item in value.items() for found in _modules(f"{name}_{key}", item)]
    return []
