"""The counters by which TensorFlow makes names unique, in a graph and before there is one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

__all__ = ["Names", "constructed_names", "constructing", "construction_names"]


@dataclass
class Names:
    """The counters of a graph, by which TensorFlow makes names unique.

    Args:
        used: operations and name scopes, lower case, with how often each was asked for.
        variable_scopes: how often each variable scope was opened.
        layers: how many Keras layers of each kind there are.
        made: what ``get_variable`` gave in this pass, with the variables' own names (never the variables: counters are
            kept from the building pass, and buffers are others after a move to another device).
    """

    used: dict[str, int] = field(default_factory=dict)
    variable_scopes: dict[str, int] = field(default_factory=dict)
    layers: dict[str, int] = field(default_factory=dict)
    made: dict[str, str] = field(default_factory=dict)

    def copy(self) -> Names:
        """Return counters that go their own way from here."""
        return Names(dict(self.used), dict(self.variable_scopes), dict(self.layers), dict(self.made))


_construction = Names()
"""Counters of layers that are made while no pass and no construction goes on: at the import of a user's module."""
_constructed: WeakKeyDictionary[Any, Names] = WeakKeyDictionary()


@contextmanager
def constructing() -> Iterator[Callable[[Any], Any]]:
    """Count the layers that a component makes in its ``__init__``, where there is no graph yet.

    Yields:
        What takes the component and returns it.
    """
    global _construction  # noqa: PLW0603 -- components are made one at a time
    before, _construction = _construction, Names()
    names = _construction

    def done(component: Any) -> Any:
        with suppress(TypeError):  # what takes no weak reference is no component with layers
            _constructed[component] = names
        return component

    try:
        yield done
    finally:
        _construction = before


def constructed_names(component: Any) -> Names:
    """Return the counters after the ``__init__`` of a component."""
    try:
        return _constructed.get(component) or Names()
    except TypeError:
        return Names()


def construction_names() -> Names:
    """Return the counters of layers that are made now, outside of any pass."""
    return _construction
