"""The components of a document as they are written, before any name is looked up.

The syntax is that of clara-3.1 facts, section 1.4.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from clara_compat.config.paths import JSONPath
from clara_compat.config.positions import Located
from clara_compat.config.problems import MOST, Problems
from clara_compat.config.variables import because
from clara_compat.errors import Address, ClaraError, suggestion

__all__ = ["Element", "ElementReader", "Slot"]

_ELEMENT_KEYS = ("name", "path", "args", "disabled", "ref", "search", "apply")
_TEXT_KEYS = ("name", "path", "ref")
_MOST = 1000
"""Components of one list: MONAI's ConfigParser takes time quadratic in the length of a chain."""


@dataclass(frozen=True)
class Slot:
    """A key of a section that holds components.

    Args:
        path: where, such as ``("train", "loss")``.
        family: what may stand there.
        single: one component (or a list of which all but one are disabled) rather than a list.
    """

    path: JSONPath
    family: str
    single: bool = False


@dataclass
class Element:
    """One enabled or disabled component of the document, as written.

    Args:
        slot: where it stands.
        path: its JSON path.
        address: its place in the file.
        enabled: not ``"disabled": true``.
        key: which of ``name``, ``path`` and ``ref`` says what it is.
        dotted: that text without aliases; empty for a ``ref``.
        alias: the names after ``#``.
        names: all that a ``ref`` may call it.
        ref: text of its ``ref``, or None.
        args: its arguments.
        args_path: their JSON path.
        searched: an AutoML search would enable or disable it.
    """

    slot: Slot
    path: JSONPath
    address: Address
    enabled: bool
    key: str
    dotted: str
    alias: tuple[str, ...]
    names: frozenset[str]
    ref: str | None
    args: dict[str, Any]
    args_path: JSONPath
    searched: bool = False


class ElementReader:
    """Reads the elements of one document.

    Args:
        document: the document, variables put in.
        undefined: variables without a value, by path.
        problems: takes every error and notice.
    """

    def __init__(self, document: Located, undefined: Mapping[JSONPath, str], problems: Problems) -> None:
        self._document = document
        self._undefined = undefined
        self._problems = problems

    def elements(self, slot: Slot) -> Iterable[Element]:
        """Read what stands in a slot.

        Raises:
            ClaraError: it is a list too long to be meant.
        """
        value: Any = self._document.data
        for key in slot.path:
            value = value.get(key) if isinstance(value, dict) else None
        if value is None:
            return
        if isinstance(value, list):
            if len(value) > _MOST:
                text = f"holds {len(value):,} components, expected at most {_MOST:,}"
                raise ClaraError(text, self._at(*slot.path))
            items = [((*slot.path, index), item) for index, item in enumerate(value)]
        elif slot.single:
            items = [(slot.path, value)]
        else:
            self._error(f"is {_kind(value)}, expected a list of components: put it into [ ]", slot.path)
            return
        for path, item in items:
            if element := self._element(slot, path, item):
                yield element

    def _element(self, slot: Slot, path: JSONPath, item: Any) -> Element | None:
        if not isinstance(item, dict):
            example = f'{{"name": "{item}"}}' if isinstance(item, str) else '{"name": ..., "args": {...}}'
            self._error(f"is {_kind(item)}, expected a component such as {example}", path)
            return None
        enabled = self._enabled(item, path)
        ignored = [key for key in item if key not in _ELEMENT_KEYS and not key.startswith("_")]
        self._problems.ignored(ignored, _ELEMENT_KEYS, partial(self._at, *path), "a component")
        texts = {key: item[key] for key in _TEXT_KEYS if item.get(key) is not None}
        for key, text in texts.items():
            if not isinstance(text, str) or not text.partition("#")[0].strip():
                if enabled:
                    self._error(f"is {_kind(text)}, expected the text of a {key}", (*path, key))
                return None
        if not texts or ("ref" in texts and len(texts) > 1):
            if enabled:
                what = "has both 'ref' and 'name' or 'path': keep one" if texts else "has no 'name', 'path' or 'ref'"
                near = next((near for key in ignored[:MOST] if (near := suggestion(key, _TEXT_KEYS))), "")
                reason = next((because(self._undefined, (*path, key)) for key in item if key in _TEXT_KEYS), "")
                self._error(f"the component {what}{reason or ('' if texts else near)}", path)
            return None
        if "ref" in texts:
            if item.get("args"):
                text = "the args beside a 'ref' are ignored: it makes the same component as that"
                self._problems.notice(text, self._at(*path, "args"))
            ref = texts["ref"].rpartition("#")[2].strip()
            return Element(slot, path, self._at(*path), enabled, "ref", "", (), frozenset(), ref, {}, ())
        args_path: JSONPath = (*path, "args")
        args = item.get("args")
        if isinstance(args, dict) and "class_attributes" in args:
            args, args_path = args["class_attributes"], (*args_path, "class_attributes")
        if args is not None and not isinstance(args, dict):
            if enabled:
                self._error(f"is {_kind(args)}, expected an object of arguments", args_path)
            return None
        parts = [part.strip() for key in ("name", "path") for part in texts.get(key, "").split("#")[1:]]
        heads = [texts[key].split("#")[0].strip() for key in ("path", "name") if key in texts]
        alias = tuple(part for part in parts if part)
        names = frozenset([*heads, *(head.rpartition(".")[2] for head in heads), *alias])
        key = "path" if "path" in texts else "name"
        args = copy.deepcopy(args or {})
        return Element(
            slot, path, self._at(*path), enabled, key, heads[0], alias, names, None, args, args_path, _is_searched(item)
        )

    def _enabled(self, item: Mapping[str, Any], path: JSONPath) -> bool:
        flag = item.get("disabled", False)
        if not isinstance(flag, bool):
            text = f"'disabled' is {_kind(flag)} and has no effect: only the JSON words true and false count"
            self._problems.notice(text, self._at(*path, "disabled"))
        return flag is not True

    def _at(self, *path: str | int) -> Address:
        return self._document.address(*path)

    def _error(self, message: str, path: JSONPath) -> None:
        self._problems.error(message, self._at(*path))


def _is_searched(item: Mapping[str, Any]) -> bool:
    return isinstance(item.get("apply"), dict) and "@disabled" in item["apply"]


def _kind(value: Any) -> str:
    if isinstance(value, (dict, list)):
        return "an object" if isinstance(value, dict) else "a list"
    return "null" if value is None else f"the text '{value}'" if isinstance(value, str) else f"{value!r}".lower()
