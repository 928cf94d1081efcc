"""A bundle config that needs MONAI and torch only, and what differs in it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from clara_compat.translate.native.native import Difference, Native

__all__ = ["OURS", "NativeConfig", "Notes", "entries_of", "is_ours", "target_of", "users_path"]

OURS = re.compile(r"\b(clara_compat|ai4med|dlmed|nvmidl|tensorflow|keras)\b")
"""What is not there where a native config runs."""

_COMPONENT = "clara_compat.tensorflow.loader.component"


@dataclass(frozen=True)
class NativeConfig:
    """A bundle config of plain MONAI.

    Args:
        config: the config, plain JSON.
        differences: of the entries that became something else.
        weights: what is cut off the names of the weights of an earlier training to make them fit the network (``""``:
            they fit as they are); None where they belong to another network.
    """

    config: dict[str, Any]
    differences: list[Difference] = field(default_factory=list)
    weights: str | None = None


class Notes:
    """Collects what changes while a config is made native."""

    def __init__(self) -> None:
        self.differences: list[Difference] = []
        self.imports: list[str] = []

    def add(self, entry: str, was: Any, now: Any = "", text: str = "") -> None:
        """Note that an entry became another.

        Args:
            entry: its id.
            was: the entry as it was, or what it pointed at.
            now: the entry, or the entries, in its place; empty where it was left out.
            text: how the results differ.
        """
        self.differences.append(Difference(entry, _name(was), _name(now), text))

    def take(self, entry: str, was: Mapping[str, Any], native: Native) -> list[dict[str, Any]]:
        """Return the entries in the place of another, and note what they change."""
        self.need(*native.imports)
        if native.entries != [was]:
            self.add(entry, was, native.entries, native.difference)
        return native.entries

    def need(self, *statements: str) -> None:
        """Have the config import something: ``import math``."""
        self.imports += [one for one in statements if one not in self.imports]


def target_of(entry: Any) -> str:
    """Return what an entry points at; empty where it is none."""
    return str(entry.get("_target_", "")) if isinstance(entry, Mapping) else ""


def users_path(entry: Any) -> tuple[str, dict[str, Any]] | None:
    """Return path and arguments of the user's own component that an entry runs; None where it runs none."""
    return next(((one["path"], _arguments(one)) for one in entries_of(entry) if target_of(one) == _COMPONENT), None)


def entries_of(value: Any) -> Iterator[Mapping[str, Any]]:
    """Yield every mapping in a config, outer ones first."""
    if isinstance(value, Mapping):
        yield value
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    for one in inner:
        yield from entries_of(one)


def _arguments(component: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a user's component; with odd names they are one escaped expression."""
    given = component.get("args", {})
    return dict(given if isinstance(given, Mapping) else ast.literal_eval(str(given).removeprefix("$")))


def is_ours(value: Any) -> bool:
    """Whether something in a part of a config is of this package, or of what it stands in for."""
    if isinstance(value, str):
        return OURS.search(value) is not None
    if isinstance(value, Mapping):
        return any(is_ours(name) or is_ours(one) for name, one in value.items())
    return isinstance(value, list) and any(map(is_ours, value))


def _name(value: Any) -> str:
    """Return what something points at, the user's own class by its path."""
    if isinstance(value, list):
        return ", ".join(map(_name, value))
    own = users_path(value)
    return own[0] if own is not None else target_of(value) or ("" if isinstance(value, Mapping) else str(value))
