"""The table the linter looks symbols up in: what the facade provides."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

__all__ = ["Provided", "Table", "alike", "facade_table", "short"]

_ALIKE = 0.75  # a slip of the pen; what is less alike is another symbol


@dataclass(frozen=True)
class Provided:
    """One symbol of the facade.

    Args:
        value: what user code gets; None when only the name is known.
        note: how it differs from TensorFlow's, in one sentence; empty when it does not.
    """

    value: Any = None
    note: str = ""

    @cached_property
    def signature(self) -> inspect.Signature | None:
        """Return its arguments, or None when it is not called or they cannot be known."""
        if not callable(self.value):
            return None
        try:
            return inspect.signature(self.value)
        except (TypeError, ValueError):
            return None


class Table:
    """What is provided, by full name.

    Args:
        provided: the symbols.
        canonical: gives the one name of a symbol: ``tensorflow.keras.layers.Dense`` for ``keras.layers.core.Dense``.
    """

    def __init__(self, provided: Mapping[str, Provided], canonical: Callable[[str], str] = str) -> None:
        self._provided = dict(provided)
        self._modules = {name.rsplit(".", depth)[0] for name in provided for depth in range(1, name.count(".") + 1)}
        self._by_last = {name.rpartition(".")[2]: name for name in sorted(provided, key=lambda one: (-len(one), one))}
        self._inside: dict[str, dict[str, str]] = {}
        for name in provided:
            module, _, last = name.rpartition(".")
            self._inside.setdefault(module, {})[last.casefold()] = name
        self.canonical = canonical

    def find(self, name: str) -> tuple[str, Provided] | None:
        """Return the symbol that a canonical name is, or of which it is a part (``tensorflow.float32.name``)."""
        while name:
            if name in self._provided:
                return name, self._provided[name]
            name = name.rpartition(".")[0]
        return None

    def is_module(self, name: str) -> bool:
        """Whether something is provided below a name."""
        return name in self._modules

    def same_name_elsewhere(self, name: str) -> str:
        """Return a symbol whose last part is that of ``name``, in another module, or an empty text."""
        return self._by_last.get(name.rpartition(".")[2], "")

    def nearest(self, name: str) -> str:
        """Return the symbol of the same module whose name is most like ``name``, or an empty text."""
        module, _, last = name.rpartition(".")
        inside = self._inside.get(module, {})
        return inside.get(alike(last.casefold(), inside), "")


@cache
def facade_table() -> Table:
    """Return the table of clara_compat's TensorFlow facade; torch is imported."""
    from clara_compat.tensorflow.namespace import all_symbols, canonical

    return Table({name: Provided(one.value, one.note) for name, one in all_symbols().items()}, canonical)


def alike(name: str, candidates: Iterable[str]) -> str:
    """Return the candidate that ``name`` must be a slip of, or an empty text."""
    found = difflib.get_close_matches(name, list(candidates), n=1, cutoff=_ALIKE)
    return found[0] if found else ""


def short(name: str) -> str:
    """Return a full name as people write it: ``tf.nn.softmax``."""
    return f"tf.{name.removeprefix('tensorflow.')}" if name.startswith("tensorflow.") else name
