"""The entry of a user's own network out of a file: looked up anew, and made of plain data only."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from clara_compat.common.data_prop import DataProperty
from clara_compat.components import catalogue
from clara_compat.components.entry import Entry
from clara_compat.config.spec import Catalogue
from clara_compat.config.user_code import ModuleNotFound, find_user_class
from clara_compat.config.user_roots import UserRoots
from clara_compat.errors import Address, ClaraError
from clara_compat.translate.own_modules import LEGACY_NETWORK, user_kind
from clara_compat.translate.render import is_safe_key, literal, render

__all__ = ["NotPlainError", "own_network", "plain_arguments"]

_COMPONENT = "clara_compat.tensorflow.loader.component"
_PROPERTY = "clara_compat.common.data_prop.DataProperty"
_LABELS = "clara_compat.common.label_format.LabelFormat"


def _is_size(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(type(n) is int and n > 0 for n in value)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float))


_ARGUMENTS: dict[bool, dict[str, Callable[[Any], bool]]] = {
    True: {"spatial_size": _is_size, "learning_rate": _is_number},
    False: {},
}
"""What else the adapters take, and what it is: of a legacy network, and of a module."""


class NotPlainError(Exception):
    """Something in a file is more than data."""


def own_network(
    target: str, arguments: Mapping[str, Any], roots: UserRoots, place: Address
) -> tuple[dict[str, Any], Path]:
    """Return the entry of a network of the user's and the folder of its code.

    Args:
        target: of the adapter.
        arguments: of the entry in the file.
        roots: where user code may lie; the file itself says nothing of that.
        place: of the entry.

    Raises:
        NotPlainError: the entry is not as the translation writes it.
        ClaraError: there is no such class, or it is no network.
    """
    legacy = target == LEGACY_NETWORK
    given = dict(arguments)
    component = _taken(given.pop("model" if legacy else "module", None), _COMPONENT, {"path", "args"})
    path, args = component.get("path"), component.get("args")
    if not isinstance(path, str) or not isinstance(args, dict):
        raise NotPlainError
    known = Catalogue(catalogue.components(), catalogue.family)
    try:
        user = find_user_class(path, roots, place, known.family_of)
    except ModuleNotFound as error:
        if roots.mmar is None:
            places = ", ".join(map(str, roots.ordered)) or "no folder"
            raise ClaraError(
                f"the network is the user's class '{path}', whose module is looked for only where the user says, here "
                f"in {places}: name its MMAR with export --mmar MMAR, or its folder in PYTHONPATH",
                place,
            ) from error
        raise ClaraError(
            f"the network is the user's class '{path}', which only the user's own folders of code can give "
            f"(PYTHONPATH, and the MMAR of an evaluation or of export --mmar): {error.message}",
            place,
        ) from error
    if user.family not in ("models", None) or (user_kind(user, "model") == "legacy") != legacy:
        raise ClaraError(f"'{path}' ({user.address}) is not the kind of network that was trained", place)
    more: dict[str, Any] = {}
    if legacy:
        declared = _taken(given.pop("data_property", None), _PROPERTY, None)
        if not declared.keys() <= inspect.signature(DataProperty).parameters.keys():
            raise NotPlainError
        if (labels := declared.pop("label_format", None)) is not None:
            declared["label_format"] = Entry(_LABELS, **_plain(_taken(labels, _LABELS, {"classes_per_label"})))
        more["data_property"] = Entry(
            _PROPERTY,
            **{name: value if isinstance(value, Entry) else _plain(value) for name, value in declared.items()},
        )
    given.pop("name", None)
    if not all(name in _ARGUMENTS[legacy] and _ARGUMENTS[legacy][name](value) for name, value in given.items()):
        raise NotPlainError
    entry = Entry(
        target,
        **{"model" if legacy else "module": Entry(_COMPONENT, path=path, args=_plain(args))},
        name=user.class_name,
        **more,
        **plain_arguments(given),
    )
    return render(entry), user.root


def plain_arguments(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments as ``ConfigParser`` reads them back as data.

    Raises:
        NotPlainError: one of them is more than data.
    """
    found = _plain(arguments)
    return {name: literal(value) for name, value in found.items()}


def _taken(value: Any, target: str, names: set[str] | None) -> dict[str, Any]:
    """Return the arguments of an entry of that target with those names."""
    if not isinstance(value, dict) or value.get("_target_") != target:
        raise NotPlainError
    found = {name: one for name, one in value.items() if name != "_target_"}
    if not all(map(is_safe_key, found)) or (names is not None and set(found) != names):
        raise NotPlainError
    return found


def _plain(value: Any) -> Any:
    """Return data as it was before it was written: an escaped text is a text again.

    Raises:
        NotPlainError: it is what ``ConfigParser`` would take for more than data.
    """
    if isinstance(value, str):
        if value.startswith("$"):
            return _unescaped(value)
        if value.startswith(("@", "%")) or "#" in value or "::" in value:
            raise NotPlainError
        return value
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        if not all(map(is_safe_key, value)):
            raise NotPlainError
        return {name: _plain(item) for name, item in value.items()}
    return value


def _unescaped(value: str) -> Any:
    try:
        return ast.literal_eval(value[1:])
    except (ValueError, SyntaxError, TypeError, MemoryError) as error:
        raise NotPlainError from error
