"""Entries as JSON that MONAI's ``ConfigParser`` reads back as exactly the same data.

``ConfigParser`` evaluates strings that start with ``$``, resolves ``@``, opens the file after ``%``, rewrites every
``#`` to ``::`` and runs ``_target_`` in any mapping. Values come from strangers' configs, so everything that is not our
own :class:`Expression` passes through :func:`literal` (rule 7 of the house).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from clara_compat.components.entry import Entry, Expression
from clara_compat.errors import ClaraError

__all__ = ["is_safe_key", "literal", "render", "spelled"]

_ESCAPES = str.maketrans({"@": r"\x40", "#": r"\x23", "%": r"\x25", "$": r"\x24"})
_SPECIAL = re.compile(r"[@#%$]|::")
_DESCRIPTION = "_desc_"
"""MONAI's argument that is left out."""
_SAFE_KEY = re.compile(r"[A-Za-z]\w*")


def literal(value: Any) -> Any:
    """Return ``value`` in a form that ``ConfigParser`` reads back unchanged.

    Strings with a special character, numbers that JSON lacks and mappings with special keys become one escaped
    ``$`` expression; everything else stays readable.

    Raises:
        ClaraError: the value is not plain data.
    """
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else f"$float('{value}')"
    if isinstance(value, str):
        return _expression(value) if _SPECIAL.search(value) else str(value)
    if isinstance(value, (list, tuple)):
        return [literal(item) for item in value]
    if isinstance(value, Mapping):
        if all(map(is_safe_key, value)):
            return {key: literal(item) for key, item in value.items()}
        return _expression(_plain(value))
    raise ClaraError(f"a value of type {type(value).__name__} cannot stand in a config: {value!r}")


def is_safe_key(key: Any) -> bool:
    """Whether ``ConfigParser`` takes ``key`` as nothing but a name."""
    return isinstance(key, str) and _SAFE_KEY.fullmatch(key) is not None


def render(value: Any) -> Any:
    """Return an entry, a list or mapping of entries, or data, as JSON for a MONAI bundle config.

    Raises:
        ClaraError: an argument has a name that means something to ``ConfigParser``, or a value is not plain data.
    """
    if isinstance(value, Expression):
        return str(value)
    if isinstance(value, Entry):
        return {"_target_": value.target, **_named(value.arguments)}
    if isinstance(value, (list, tuple)):
        return [render(item) for item in value]
    if isinstance(value, Mapping) and any(isinstance(item, (Entry, Expression)) for item in value.values()):
        return _named(value)
    if isinstance(value, Mapping) and all(map(is_safe_key, value)):
        return {name: render(item) for name, item in value.items()}
    return literal(value)


def _named(value: Mapping[str, Any]) -> dict[str, Any]:
    """Render arguments or entries, none of which may replace what is run (``_target_``) or add to it."""
    unsafe = [name for name in value if name != _DESCRIPTION and not is_safe_key(name)]
    if unsafe:
        raise ClaraError(
            f"{unsafe[0]!r} cannot be the name of an argument or config entry: use letters, digits and '_', a letter "
            "first"
        )
    return {name: render(item) for name, item in value.items()}


def _expression(value: Any) -> str:
    return "$" + spelled(value)


def spelled(value: Any) -> str:
    """Return a Python literal of ``value`` without any character that ``ConfigParser`` looks for."""
    if isinstance(value, str):
        return repr(value).translate(_ESCAPES).replace("::", r":\x3a").replace("import", r"\x69mport")
    if isinstance(value, float) and not math.isfinite(value):
        return f"float('{value}')"
    if isinstance(value, list):
        return "[" + ", ".join(map(spelled, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{spelled(key)}: {spelled(item)}" for key, item in value.items()) + "}"
    return repr(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    literal(value)
    return value
