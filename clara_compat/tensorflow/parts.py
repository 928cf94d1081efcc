"""What of a user's object is trained although TensorFlow has no part in it: layers and parameters of torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import nn

from clara_compat.common.graph_component import GraphComponent
from clara_compat.errors import ClaraError
from clara_compat.tensorflow.store import VariableStore

__all__ = ["Parts", "layers_in"]

Weights = nn.Module | nn.Parameter

_INSTEAD = "~"
"""For a dot, which torch allows in no name, and behind a name that torch needs itself."""


class Parts(nn.ModuleDict):
    """The layers and bare parameters of torch on a user's object, by the names of its attributes.

    They are looked for in its attributes, in lists, tuples and dictionaries there, and one step into components of
    Clara's that it holds. An object that is a ``torch.nn.Module`` itself is one part.

    Args:
        target: the object.
        store: its TensorFlow variables, which are parameters too but no parts.
        what: what it is, for messages: ``model 'Net'``.
        name: of the object where it is a module itself.
    """

    def __init__(self, target: Any, store: VariableStore, what: str, name: str) -> None:
        super().__init__()
        self._target = [target, store]  # in a list: neither is a part of this module under that name
        self._what = what
        self._name = name

    def take(self) -> None:
        """Make what the object has now parts of this module.

        Raises:
            ClaraError: it keeps a tensor that wants a gradient and is no parameter.
        """
        for key, weights in self._found():
            if isinstance(weights, nn.Module):
                self[key] = weights
            else:
                self.register_parameter(key, weights)
        target = self._target[0]
        attributes = [] if isinstance(target, nn.Module) else _attributes(target)
        for name, value in attributes:
            if type(value) is torch.Tensor and value.requires_grad and value.is_leaf:
                raise ClaraError(
                    f"{self._what} keeps a tensor that requires a gradient as '{name}': make it a torch.nn.Parameter, "
                    "or it would never be trained"
                )

    def check(self) -> None:
        """Check that the object still holds the same ones, but for layers without parameters.

        Raises:
            ClaraError: it made others since :meth:`take`.
        """
        for key, weights in self._found():
            own = self._modules.get(key, self._parameters.get(key))
            if own is weights or (isinstance(weights, nn.Module) and next(weights.parameters(), None) is None):
                continue
            kind = "layers" if isinstance(weights, nn.Module) else "parameters"
            raise ClaraError(
                f"{self._what} makes {kind} of torch anew in every call, so they would never be trained: make them "
                "once, in __init__"
            )

    def held(self, name: str, value: Any) -> list[tuple[str, Weights]]:
        """Return the layers and parameters of torch in an attribute, with a name for each.

        Args:
            name: of the attribute.
            value: its value.
        """
        found = _weights(name, value)
        if not any(isinstance(weights, nn.Parameter) for _, weights in found):
            return found
        variables = set(map(id, self._target[1].parameters()))
        return [pair for pair in found if id(pair[1]) not in variables]

    def _found(self) -> Iterator[tuple[str, Weights]]:
        """Yield layers, then the parameters that are in none of them, with names that this module can have."""
        target = self._target[0]
        if isinstance(target, nn.Module):
            yield self._name, target
            return
        found = [pair for name, value in _attributes(target) for pair in self.held(name, value)]
        layers = [weights for _, weights in found if isinstance(weights, nn.Module)]
        if len(layers) < len(found):
            inside = {id(one) for layer in layers for one in layer.parameters()}
            found = [pair for pair in found if id(pair[1]) not in inside]
            found.sort(key=lambda pair: isinstance(pair[1], nn.Parameter))
        taken: set[str] = set()
        for name, weights in found:
            key = name.replace(".", _INSTEAD)
            while key in taken or self._is_attribute(key):
                key += _INSTEAD
            taken.add(key)
            yield key, weights

    def _is_attribute(self, key: str) -> bool:
        return key not in self._modules and key not in self._parameters and hasattr(self, key)


def layers_in(name: str, value: Any) -> list[tuple[str, nn.Module]]:
    """Return the layers of torch in an attribute, with a name for each; see :meth:`Parts.held`."""
    return [(key, weights) for key, weights in _weights(name, value) if isinstance(weights, nn.Module)]


def _weights(name: str, value: Any, *, inside: bool = False) -> list[tuple[str, Weights]]:
    """Return what is in an attribute; components that a component knows are left alone."""
    if isinstance(value, nn.Module | nn.Parameter):
        return [(name, value)]
    items: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, list | tuple):
        items = enumerate(value)
    elif isinstance(value, dict):
        items = value.items()
    elif isinstance(value, GraphComponent) and not inside:
        items, inside = _attributes(value), True
    return [found for key, item in items for found in _weights(f"{name}_{key}", item, inside=inside)]


def _attributes(target: Any) -> list[tuple[str, Any]]:
    return list(getattr(target, "__dict__", {}).items())
