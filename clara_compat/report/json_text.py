"""JSON as people write it: an object takes a line per key, a list of plain values takes one line."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["json_text"]

_WIDTH = 88


def json_text(value: Any, indent: int = 0) -> str:
    """Return ``value`` as JSON that is easy to read.

    Args:
        value: plain data.
        indent: spaces in front of the lines after the first.

    Example::

        >>> print(json_text({"keys": ["image", "label"], "pixdim": [1.0, 1.0, 2.0]}))
        {
          "keys": ["image", "label"],
          "pixdim": [1.0, 1.0, 2.0]
        }
    """
    inner = indent + 2
    if isinstance(value, dict) and value:
        parts = [f"{_plain(str(key))}: {json_text(part, inner)}" for key, part in value.items()]
        return _block("{", parts, "}", indent)
    if isinstance(value, list) and value:
        nested = any(isinstance(part, (dict, list)) and part for part in value)
        line = _plain(value)
        if not nested and len(line) + indent <= _WIDTH:
            return line
        return _block("[", [json_text(part, inner) for part in value], "]", indent)
    return _plain(value)


def _block(begin: str, parts: list[str], end: str, indent: int) -> str:
    space = " " * indent
    return f"{begin}\n" + ",\n".join(f"{space}  {part}" for part in parts) + f"\n{space}{end}"


def _plain(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
