"""``--set``: legacy variables (``epochs=2``) and, our own addition, paths into the config.

Typing of a variable's value, and that only the first ``=`` splits: clara-3.1 facts, section 1.3.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from clara_compat.config.paths import JSONPath, format_path, parse_path
from clara_compat.config.positions import COMMAND_LINE, Located
from clara_compat.config.problems import Problems
from clara_compat.errors import Address, ClaraError, nearest

__all__ = ["Overrides", "PathOverride", "parse_overrides", "typed"]

_WORDS = {
    **dict.fromkeys(("y", "yes", "t", "true", "on", "1"), True),
    **dict.fromkeys(("n", "no", "f", "false", "off", "0"), False),
}


@dataclass(frozen=True)
class PathOverride:
    """One value put at one place of the config.

    Args:
        path: where.
        value: what, as JSON data.
    """

    path: JSONPath
    value: Any


@dataclass(frozen=True)
class Overrides:
    """What ``--set`` says.

    Args:
        variables: legacy variables by name, typed.
        paths: values for places of the config, in the order given.
    """

    variables: dict[str, Any] = field(default_factory=dict)
    paths: tuple[PathOverride, ...] = ()

    def apply(self, document: Located, problems: Problems | None = None) -> Located:
        """Return the document with the path overrides put in.

        An argument of a component, its ``args`` and its ``disabled`` may be new; everything else must be there.

        Args:
            document: the document as read, before substitution; it is not changed.
            problems: takes the errors; when None they are raised.

        Raises:
            ClaraError: a path that is not in the document, with the nearest key, or the length of the list.
        """
        found = problems or Problems()
        data = copy.deepcopy(document.data)
        done: list[JSONPath] = []
        for override in self.paths:
            try:
                _put(data, override, document)
                done.append(override.path)
            except ClaraError as error:
                found.take(error)
        if problems is None:
            found.raise_any()
        return document.with_data(data, done)


def parse_overrides(items: Sequence[str] | Mapping[str, Any]) -> Overrides:
    """Read the items of ``--set``.

    Args:
        items: ``K=V`` texts as typed, or from Python a mapping whose values keep their types. A key with ``.`` or
            ``[`` is a path into the config, whose value is JSON (text that is not JSON stays text); any other key
            is a legacy variable. The last of several wins.

    Raises:
        ClaraError: an item without ``=``, without a key, or with a path that cannot be read.
    """
    if isinstance(items, str):
        raise ClaraError(f"overrides are a list of KEY=VALUE texts or a mapping, got the text '{items}'")
    pairs: list[tuple[str, Any]]
    from_python = isinstance(items, Mapping)
    if isinstance(items, Mapping):
        pairs = [(str(key), copy.deepcopy(value)) for key, value in items.items()]
    else:
        pairs = [_split(item) for item in items]
    variables: dict[str, Any] = {}
    paths: list[PathOverride] = []
    problems = Problems()
    for key, value in pairs:
        try:
            if "." in key or "[" in key:
                paths.append(PathOverride(parse_path(key), value if from_python else _json_value(key, value)))
            elif key:
                variables[key] = value if from_python else _variable(key, value)
            else:
                problems.error(f"--set ={value}: the name before '=' is missing; write --set KEY=VALUE")
        except ClaraError as error:
            problems.error(error.message, error.address or Address(COMMAND_LINE))
    problems.raise_any()
    return Overrides(variables, tuple(paths))


def typed(text: str) -> int | float | bool | str:
    """Give a ``--set`` value its type: int, float, a word for true or false, else text (section 1.3)."""
    for convert in (int, float):
        try:
            return convert(text)
        except ValueError:
            continue
    return _WORDS.get(text.lower(), text)


def _split(item: str) -> tuple[str, str]:
    key, equals, value = str(item).partition("=")
    if not equals:
        raise ClaraError(f"--set {item}: there is no '='; write --set KEY=VALUE")
    return key.strip(), value


def _variable(key: str, text: str) -> Any:
    # A folder called 2021 or 1e3 stays text: these values are joined onto the MMAR's folder.
    return text if key.startswith("MMAR_") else typed(text)


def _json_value(key: str, text: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ClaraError(f"--set {key}: the value is nested too deeply to be read") from error
    except ValueError:
        return text


def _put(data: dict[str, Any], override: PathOverride, document: Located) -> None:
    """Put one value into ``data``, checking each step of the way."""
    path = override.path
    place: Any = data
    component = in_args = False
    for depth, part in enumerate(path):
        last = depth == len(path) - 1
        if isinstance(place, dict) and isinstance(part, str):
            may_be_new = (in_args and last) or (
                component and ((part == "args" and "ref" not in place) or (part == "disabled" and last))
            )
            if part not in place and not may_be_new:
                raise _unknown(path, depth, place, document)
            in_args = in_args or (component and part == "args")
            if last:
                place[part] = copy.deepcopy(override.value)
                return
            place = place.setdefault(part, {})
            component = isinstance(place, dict) and not in_args and bool({"name", "path", "ref"} & place.keys())
        elif isinstance(place, list) and isinstance(part, int) and part < len(place):
            if last:
                place[part] = copy.deepcopy(override.value)
                return
            place = place[part]
            component = isinstance(place, dict) and not in_args and bool({"name", "path", "ref"} & place.keys())
        else:
            raise _unknown(path, depth, place, document)


def _unknown(path: JSONPath, depth: int, place: Any, document: Located) -> ClaraError:
    """The error for a path whose part ``depth`` is not in ``place``."""
    parent, part = path[:depth], path[depth]
    where = format_path(parent) or "the config"
    if isinstance(place, list):
        what = f"{where} is a list of {len(place)}"
        if isinstance(part, int):
            span = f"its entries are [0] to [{len(place) - 1}]" if place else "it has no entries"
            what += f", so [{part}] is out of range: {span}"
        else:
            what += f", so '{part}' names nothing in it: give a number, as in {format_path((*parent, 0))}"
    elif isinstance(place, dict):
        found = nearest(str(part), place)
        hint = f"did you mean {format_path((*parent, found))}?" if found else f"it has {', '.join(place) or 'no keys'}"
        what = f"{where} has no {f'[{part}]' if isinstance(part, int) else repr(part)}; {hint}"
    else:
        what = f"{where} is {json.dumps(place)[:60]}, which has no parts"
    return ClaraError(f"--set {format_path(path)}: {what}", document.address(*parent))
