"""JSON paths as people write them: ``train.pre_transforms[3].args.size``.

A key that is not a plain word is written as a JSON string in brackets: ``train["my key"][0]``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from clara_compat.errors import ClaraError

__all__ = ["JSONPath", "format_path", "parse_path"]

JSONPath = tuple[str | int, ...]
"""Keys (str) and list indices (int) from the top of a document down to one value."""

_PLAIN = re.compile(r"[\w#-]+")
_KEY = re.compile(r'[^.\[\]"]+')
_INDEX = re.compile(r"\[(\d{1,9})\]")
_QUOTED = re.compile(r'\[("(?:[^"\\]|\\.)*")\]', re.DOTALL)


def format_path(path: Sequence[str | int]) -> str:
    """Write a path, such that :func:`parse_path` gives it back.

    Example::

        >>> format_path(("train", "pre_transforms", 3, "args", "size"))
        'train.pre_transforms[3].args.size'
    """
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _PLAIN.fullmatch(part):
            text += f".{part}" if text else part
        else:
            # "=" would end the key of a --set
            text += "[" + json.dumps(part).replace("=", "\\u003d") + "]"
    return text


def parse_path(text: str) -> JSONPath:
    """Read a path as :func:`format_path` writes it.

    Raises:
        ClaraError: when the text is not a path.
    """
    parts: list[str | int] = []
    position = 0
    while position < len(text):
        if index := _INDEX.match(text, position):
            parts.append(int(index[1]))
            position = index.end()
            continue
        if quoted := _QUOTED.match(text, position):
            parts.append(_unquoted(text, quoted[1]))
            position = quoted.end()
            continue
        if parts:
            if text[position] != ".":
                raise _not_a_path(text, position)
            position += 1
        key = _KEY.match(text, position)
        if key is None:
            raise _not_a_path(text, position)
        parts.append(key[0])
        position = key.end()
    return tuple(parts)


def _unquoted(text: str, quoted: str) -> str:
    try:
        return str(json.loads(quoted))
    except ValueError as error:
        raise ClaraError(f"'{text}' is not a path into the config: {quoted} is not a JSON string") from error


def _not_a_path(text: str, position: int) -> ClaraError:
    found = f"'{text[position]}' at character {position + 1}" if position < len(text) else "the end"
    return ClaraError(
        f"'{text}' is not a path into the config: did not expect {found}; "
        "write keys with dots and list entries in brackets, as in train.pre_transforms[3].args.size"
    )
