"""Paths of a config as expressions of the few entries at its top that say where things are.

Whoever moves a bundle, or overrides ``ckpt_dir`` or ``DATA_ROOT`` on its command line, changes one entry.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clara_compat.components.entry import Entry, Expression
from clara_compat.translate.render import is_safe_key, literal, spelled

__all__ = ["DATA_PLACES", "Places", "path_below", "plain_text", "unplaced"]

DATA_PLACES = {"DATA_ROOT": "base_dir", "DATASET_JSON": "data_list_file_path"}
"""Clara's variables of the data, and the arguments of ``load_datalist`` they are given to."""

_PLACED = re.compile(r"""\$@([A-Za-z]\w*) \+ ('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")""")
_NAMED = re.compile(r"@([A-Za-z]\w*)")


class Places:
    """The folders and files that entries at the top of a config name.

    Args:
        paths: path of each place, by the name of its entry; relative and empty ones, and ``/``, are never looked for.
    """

    def __init__(self, paths: Mapping[str, str]) -> None:
        self.paths = dict(paths)
        longest = sorted(paths.items(), key=lambda item: len(item[1]), reverse=True)
        self._paths = [(name, path) for name, path in longest if Path(path).is_absolute() and path != "/"]

    def listed(self, data: Entry) -> Entry:
        """Return the entry of a data list whose file and folder are those of the entries at the top.

        The folder is ``dataset_dir``, which bundles of MONAI have, and which is ``DATA_ROOT`` here.
        """
        given = {
            argument: Expression("@dataset_dir" if name == "DATA_ROOT" else f"@{name}")
            for name, argument in DATA_PLACES.items()
            if data.arguments.get(argument) == self.paths.get(name, "")
        }
        return Entry(data.target, **{**data.arguments, **given})

    def placed(self, value: Any) -> Any:
        """Return entries or data in which every path at or below a place starts from the place's entry."""
        if isinstance(value, Expression):
            return value
        if isinstance(value, str):
            return self._path(value)
        if isinstance(value, Entry):
            return Entry(value.target, **{name: self.placed(item) for name, item in value.arguments.items()})
        if isinstance(value, (list, tuple)):
            return [self.placed(item) for item in value]
        if isinstance(value, Mapping) and all(map(is_safe_key, value)):
            return {name: self.placed(item) for name, item in value.items()}
        return value  # a mapping with names that must be escaped as a whole, too

    def _path(self, text: str) -> str:
        for name, path in self._paths:
            if text == path:
                return Expression(f"@{name}")
            if text.startswith(path.rstrip("/") + "/"):
                return Expression(f"$@{name} + {spelled(text[len(path.rstrip('/')) :])}")
        return text


def unplaced(value: Any, config: Mapping[str, Any]) -> Any:
    """Return data of a config with what :meth:`Places.placed` made of its paths put back and plain references followed.

    Only texts and numbers at the top of the config are put in; nothing is run.

    Args:
        value: data.
        config: the whole config.
    """
    if isinstance(value, dict):
        return {name: unplaced(item, config) for name, item in value.items()}
    if isinstance(value, list):
        return [unplaced(item, config) for item in value]
    if not isinstance(value, str):
        return value
    if (found := _PLACED.fullmatch(value)) is not None:
        top = plain_text(config.get(found[1]))
        return value if top is None else literal(top + ast.literal_eval(found[2]))
    if (named := _NAMED.fullmatch(value)) is not None:
        top = config.get(named[1])
        text = plain_text(top)
        if text is not None:
            return literal(text)
        return top if type(top) in (int, float) else value
    return value


def path_below(place: str, value: str) -> str | None:
    """Return the path below a place, with its first slash, that :meth:`Places.placed` made a text start from; or None.

    Args:
        place: name of the entry at the top.
        value: a text of a config.
    """
    found = _PLACED.fullmatch(value)
    return str(ast.literal_eval(found[2])) if found is not None and found[1] == place else None


def plain_text(value: Any) -> str | None:
    """Return the text that an entry holds, an escaped one read back; None when it is no text."""
    if not isinstance(value, str) or value.startswith(("@", "%")):
        return None
    if not value.startswith("$"):
        return value
    try:
        found = ast.literal_eval(value[1:])
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
    return found if isinstance(found, str) else None
