"""A user's object, back in the state it had after ``__init__``."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

from torch import nn

from clara_compat.tensorflow.parts import layers_in

__all__ = ["Rewind"]


class Rewind:
    """Remembers the attributes of an object, lists and dictionaries one level deep.

    Clara calls a model once and keeps the graph; code that caches (``if self.model is None``) or appends to a list is
    right there and would go wrong when it is called in every step. Layers and parameters of torch that were put on the
    object since are kept: they are what is trained (:mod:`clara_compat.tensorflow.parts`).

    Args:
        target: the object; one that is a ``torch.nn.Module`` itself is left alone.
        held: tells what an attribute holds that is trained; by default layers of torch.
    """

    def __init__(self, target: Any, held: Callable[[str, Any], Sequence[Any]] = layers_in) -> None:
        self._target = target
        self._held = held
        self._first = {} if isinstance(target, nn.Module) else _copied(getattr(target, "__dict__", {}))

    def back(self) -> None:
        """Put the attributes back."""
        if isinstance(self._target, nn.Module) or not hasattr(self._target, "__dict__"):
            return
        kept = {name: value for name, value in vars(self._target).items() if self._held(name, value)}
        vars(self._target).clear()
        vars(self._target).update({**_copied(self._first), **kept})


def _copied(attributes: dict[str, Any]) -> dict[str, Any]:
    containers = (list, dict, set)
    return {name: copy.copy(value) if type(value) in containers else value for name, value in attributes.items()}
