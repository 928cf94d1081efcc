"""The table of what the facade provides: TensorFlow's names, and what stands behind them.

An implementation names its symbols where it is written::

    @symbol("nn.softmax", "math.softmax")
    def softmax(logits, axis=None, name=None, dim=None): ...

The modules that user code imports (:mod:`clara_compat.tensorflow.namespace`), ``docs/TENSORFLOW.md`` and the linter are
made from this one table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

__all__ = ["SYMBOLS", "Symbol", "register", "symbol"]

T = TypeVar("T")


@dataclass(frozen=True)
class Symbol:
    """One thing the facade provides.

    Args:
        name: its full name: ``tensorflow.nn.softmax``.
        value: what user code gets.
        note: how it differs from TensorFlow's, in one sentence; empty when it does not.
    """

    name: str
    value: Any
    note: str = ""


SYMBOLS: dict[str, Symbol] = {}
"""By full name. Filled while the modules of :mod:`clara_compat.tensorflow.ops` and ``layers`` are imported."""


def register(value: Any, *names: str, note: str = "") -> None:
    """Provide a value under names.

    Args:
        value: a function, class or constant.
        names: below ``tensorflow``: ``nn.relu``; a name that begins with ``ai4med.`` is taken as it is.
        note: how it differs from TensorFlow's.

    Raises:
        ValueError: a name is taken.
    """
    if "<locals>" in getattr(value, "__qualname__", ""):
        value.__qualname__ = f"tf.{names[0]}"  # Python says it where arguments do not fit
    for name in names:
        full = name if name.startswith("ai4med.") else f"tensorflow.{name}"
        if full in SYMBOLS:
            raise ValueError(f"{full} is provided twice")
        SYMBOLS[full] = Symbol(full, value, note)


def symbol(*names: str, note: str = "") -> Callable[[T], T]:
    """Decorate a function or class with the names under which it is provided; see :func:`register`."""

    def provide(value: T) -> T:
        register(value, *names, note=note)
        return value

    return provide
