"""A user's object, back in the state it had after ``__init__``."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from torch import nn

from clara_compat.common.graph_component import GraphComponent
from clara_compat.tensorflow.parts import layers_in

__all__ = ["Rewind"]


class Rewind:
    """Remembers the attributes of an object, lists and dictionaries one level deep.

    Clara calls a model once and keeps the graph; code that caches (``if self.model is None``) or appends to a list is
    right there and would go wrong when it is called in every step. Layers and parameters of torch that were put on the
    object since are kept: they are what is trained (:mod:`clara_compat.tensorflow.parts`).

    What is on its attributes, in lists and dictionaries too, and is a component of Clara's or has
    ``put_back_with_owner`` is put back with it.

    Args:
        target: the object; one that is a ``torch.nn.Module`` itself is left alone.
        held: tells what an attribute holds that is trained; by default layers of torch.
        known: identities of objects that somebody else puts back.
    """

    def __init__(
        self,
        target: Any,
        held: Callable[[str, Any], Sequence[Any]] = layers_in,
        known: set[int] | None = None,
    ) -> None:
        self._target = target
        self._held = held
        self._first = {} if isinstance(target, nn.Module) else _copied(getattr(target, "__dict__", {}))
        known = {id(target)} if known is None else known
        self._owned: list[Rewind] = []
        for value in self._first.values():
            for one in _put_back_with_owner(value):
                if id(one) not in known:
                    known.add(id(one))
                    self._owned.append(Rewind(one, held, known))

    def back(self) -> None:
        """Put the attributes back."""
        if isinstance(self._target, nn.Module) or not hasattr(self._target, "__dict__"):
            return
        kept = {name: value for name, value in vars(self._target).items() if self._held(name, value)}
        vars(self._target).clear()
        vars(self._target).update({**_copied(self._first), **kept})
        for one in self._owned:
            one.back()


def _copied(attributes: dict[str, Any]) -> dict[str, Any]:
    containers = (list, dict, set)
    return {name: copy.copy(value) if type(value) in containers else value for name, value in attributes.items()}


def _put_back_with_owner(value: Any) -> Iterator[Any]:
    if isinstance(value, GraphComponent) or getattr(value, "put_back_with_owner", False) is True:
        yield value
    elif type(value) in (list, tuple):
        for one in value:
            yield from _put_back_with_owner(one)
    elif type(value) is dict:
        for one in value.values():
            yield from _put_back_with_owner(one)
