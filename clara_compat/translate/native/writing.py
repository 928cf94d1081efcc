"""How the entries of a native config, and the expressions in them, are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["OTHER_DRAWS", "PACKAGE", "fields", "made", "names_package", "sentences", "spelled"]

PACKAGE = "clara_compat"

OTHER_DRAWS = "the law is the same, the random numbers are others"
"""Part of a difference: the same distribution, drawn in another order."""


def made(target: str, /, **arguments: Any) -> dict[str, Any]:
    """Return an entry; arguments that are None are left out."""
    return {"_target_": target, **{name: value for name, value in arguments.items() if value is not None}}


def fields(value: str | Sequence[str]) -> list[str]:
    """Return the fields that an argument names: one of them or several."""
    return [value] if isinstance(value, str) else list(value)


def spelled(value: Any) -> str:
    """Return how a value of a config is written inside an expression.

    ``"$..."`` is an expression itself and goes in as it is, so does a reference (``"@..."``); all other texts are data.
    """
    if isinstance(value, str):
        return f"({value[1:]})" if value.startswith("$") else value if value.startswith("@") else repr(value)
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(spelled, value)) + "]"
    return repr(value)


def sentences(*parts: str) -> str:
    """Return the parts of a difference as one; empty ones are left out."""
    return "; ".join(part for part in parts if part)


def names_package(value: Any) -> bool:
    """Whether this package is named anywhere in a value of a config."""
    if isinstance(value, Mapping):
        return any(map(names_package, (*value, *value.values())))
    if isinstance(value, (list, tuple)):
        return any(map(names_package, value))
    return isinstance(value, str) and PACKAGE in value
