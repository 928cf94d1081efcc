"""From the substituted document to resolved components: names, paths, aliases, refs, disabled, single slots.

The syntax is that of clara-3.1 facts, section 1.4.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from clara_compat.components.component import Component
from clara_compat.components.not_yet import NOT_YET
from clara_compat.config.paths import JSONPath, format_path
from clara_compat.config.positions import Located
from clara_compat.config.problems import Problems
from clara_compat.config.spec import FAMILY_WORDS, Catalogue, ComponentSpec
from clara_compat.config.user_code import ModuleNotFound, UserClass, UserRoots, find_user_class
from clara_compat.config.variables import because
from clara_compat.errors import Address, ClaraError, suggestion

__all__ = ["Catalogue", "ComponentResolver", "ComponentSpec", "Slot"]

_ELEMENT_KEYS = ("name", "path", "args", "disabled", "ref", "search", "apply")
_TEXT_KEYS = ("name", "path", "ref")
_OWN_CLASS = "; give the 'path' of a class of your own (module.Class)"
_BUILT_IN_PACKAGES = ("ai4med.", "clara_compat.")


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
class _Element:
    """One enabled or disabled component of the document, as written."""

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


class ComponentResolver:
    """Resolves the components of one document, in two passes: all that are named, then all that refer to those.

    Args:
        document: the document, variables put in.
        undefined: variables without a value, by path.
        roots: where user code may lie.
        catalogue: the built-in components.
        problems: takes every error and notice.
        user_code_required: whether user code that is not found is an error rather than a notice.
    """

    def __init__(
        self,
        document: Located,
        undefined: Mapping[JSONPath, str],
        roots: UserRoots,
        catalogue: Catalogue,
        problems: Problems,
        user_code_required: bool = True,
    ) -> None:
        self._document = document
        self._undefined = undefined
        self._roots = roots
        self._catalogue = catalogue
        self._problems = problems
        self._user_code_required = user_code_required
        self._specs: dict[JSONPath, ComponentSpec | None] = {}
        self.broken: set[JSONPath] = set()
        """Slots in which a component is missing because it, or what its ref names, has an error."""

    def resolve(self, slots: Sequence[Slot]) -> dict[JSONPath, list[ComponentSpec]]:
        """Resolve the components of the slots.

        Args:
            slots: in order; a ``ref`` may name any component below ``train``.

        Returns:
            The enabled components of each slot by its path; at most one for a single slot.
        """
        written = {slot.path: list(self._elements(slot)) for slot in slots}
        named = [item for items in written.values() for item in items if item.path[0] == "train" and item.ref is None]
        found: dict[JSONPath, list[ComponentSpec]] = {}
        for slot in slots:
            enabled = [item for item in written[slot.path] if item.enabled]
            if slot.single and len(enabled) > 1:
                lines = ", ".join(f"{item.dotted or item.ref} (line {item.address.line})" for item in enabled)
                self._error(f"{len(enabled)} are enabled ({lines}), expected one: disable all but one", slot.path)
                enabled = enabled[:1]
            before = len(self._problems.errors)
            specs = [self._referred(item, named) if item.ref is not None else self._named(item) for item in enabled]
            found[slot.path] = [spec for spec in specs if spec is not None]
            if len(self._problems.errors) > before:
                self.broken.add(slot.path)
        return found

    def _elements(self, slot: Slot) -> Iterable[_Element]:
        """First pass: read what stands in a slot."""
        value: Any = self._document.data
        for key in slot.path:
            value = value.get(key) if isinstance(value, dict) else None
        if value is None:
            return
        if isinstance(value, list):
            items = [((*slot.path, index), item) for index, item in enumerate(value)]
        elif slot.single:
            items = [(slot.path, value)]
        else:
            self._error(f"is {_kind(value)}, expected a list of components: put it into [ ]", slot.path)
            return
        for path, item in items:
            if element := self._element(slot, path, item):
                yield element

    def _element(self, slot: Slot, path: JSONPath, item: Any) -> _Element | None:
        if not isinstance(item, dict):
            example = f'{{"name": "{item}"}}' if isinstance(item, str) else '{"name": ..., "args": {...}}'
            self._error(f"is {_kind(item)}, expected a component such as {example}", path)
            return None
        enabled = self._enabled(item, path)
        for key in item:
            if key not in _ELEMENT_KEYS and not key.startswith("_"):
                hint = suggestion(key, _ELEMENT_KEYS)
                self._problems.notice(f"the key '{key}' of a component is ignored{hint}", self._at(*path, key))
        texts = {key: item[key] for key in _TEXT_KEYS if item.get(key) is not None}
        for key, text in texts.items():
            if not isinstance(text, str) or not text.partition("#")[0].strip():
                if enabled:
                    self._error(f"is {_kind(text)}, expected the text of a {key}", (*path, key))
                return None
        if not texts or ("ref" in texts and len(texts) > 1):
            if enabled:
                what = "has both 'ref' and 'name' or 'path': keep one" if texts else "has no 'name', 'path' or 'ref'"
                near = next((near for key in item if (near := suggestion(key, _TEXT_KEYS))), "")
                reason = next((because(self._undefined, (*path, key)) for key in item if key in _TEXT_KEYS), "")
                self._error(f"the component {what}{reason or ('' if texts else near)}", path)
            return None
        if "ref" in texts:
            if item.get("args"):
                text = "the args beside a 'ref' are ignored: it makes the same component as in train"
                self._problems.notice(text, self._at(*path, "args"))
            ref = texts["ref"].rpartition("#")[2].strip()
            return _Element(slot, path, self._at(*path), enabled, "ref", "", (), frozenset(), ref, {}, ())
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
        return _Element(slot, path, self._at(*path), enabled, key, heads[0], alias, names, None, args, args_path)

    def _enabled(self, item: Mapping[str, Any], path: JSONPath) -> bool:
        flag = item.get("disabled", False)
        if not isinstance(flag, bool):
            text = f"'disabled' is {_kind(flag)} and has no effect: only the JSON words true and false count"
            self._problems.notice(text, self._at(*path, "disabled"))
        return flag is not True

    def _named(self, item: _Element) -> ComponentSpec | None:
        """Second pass: the class of a named component; each is looked up once."""
        if item.path not in self._specs:
            try:
                self._specs[item.path] = self._look_up(item)
            except ClaraError as error:
                self._problems.take(error)
                self._specs[item.path] = None
        return self._specs[item.path]

    def _look_up(self, item: _Element) -> ComponentSpec:
        name = item.dotted.rpartition(".")[2]
        cls = None
        user: UserClass | None = None
        if "." not in item.dotted or item.dotted.startswith(_BUILT_IN_PACKAGES):
            cls = self._built_in(item, name)
            family: str | None = self._catalogue.family(cls)
        else:
            user = self._user_class(item)
            family = user.family if user else None
        self._check_family(name, family, item.slot, item.address)
        size = len(item.args_path)
        undefined = {
            str(path[size]): variable
            for path, variable in self._undefined.items()
            if len(path) > size and path[:size] == item.args_path
        }
        return ComponentSpec(
            name=name,
            alias=item.alias,
            cls=cls,
            user=user,
            args=item.args,
            address=item.address,
            section=format_path(item.slot.path),
            dotted=item.dotted,
            undefined=undefined,
            document=self._document,
            args_path=item.args_path,
        )

    def _built_in(self, item: _Element, name: str) -> type[Component]:
        known = self._catalogue.components
        cls = known.get(name)
        if item.key == "path" and "." not in item.dotted:
            why = "has no module: write module.Class, or use 'name' for Clara's own"
        elif cls is not None:
            return cls
        elif name in NOT_YET:
            why = "is Clara's and not supported yet (clara-compat components lists what is)"
        else:
            why = "is no known component" + (suggestion(name, known) or _OWN_CLASS)
        raise ClaraError(f"'{item.dotted}' {why}", self._at(*item.path, item.key))

    def _user_class(self, item: _Element) -> UserClass | None:
        try:
            return find_user_class(item.dotted, self._roots, item.address, self._catalogue.family_of)
        except ModuleNotFound as error:
            if self._user_code_required:
                raise
            self._problems.notice(error.message, item.address)
            return None

    def _check_family(self, name: str, family: str | None, slot: Slot, address: Address) -> None:
        if family is not None and family != slot.family:
            raise ClaraError(
                f"'{name}' is {FAMILY_WORDS.get(family, family)} and cannot stand here; "
                f"{format_path(slot.path)} takes {FAMILY_WORDS.get(slot.family, slot.family)}",
                address,
            )

    def _referred(self, item: _Element, named: Sequence[_Element]) -> ComponentSpec | None:
        """Second pass: the component of ``train`` that a ref names."""
        ref = item.ref or ""
        hits = [other for other in named if ref in other.names]
        enabled = [other for other in hits if other.enabled]
        if len(enabled) > 1:
            lines = " and ".join(str(other.address.line) for other in enabled)
            self._error(
                f"the ref '{ref}' is ambiguous: it names the components of lines {lines}; "
                f'give each an alias ("{ref}#one", "{ref}#two") and refer to that',
                (*item.path, "ref"),
            )
            return None
        if not enabled:
            if not hits:
                near = suggestion(ref, {name for other in named for name in other.names})
                self._error(f"the ref '{ref}' names no component of train{near}", (*item.path, "ref"))
            return None
        spec = self._named(enabled[0])
        if spec is None:
            self.broken.add(item.slot.path)
            return None
        try:
            self._check_family(spec.name, enabled[0].slot.family, item.slot, item.address)
        except ClaraError as error:
            self._problems.take(error)
            return None
        section = format_path(item.slot.path)
        return replace(spec, args=copy.deepcopy(spec.args), address=item.address, section=section, ref=ref)

    def _at(self, *path: str | int) -> Address:
        return self._document.address(*path)

    def _error(self, message: str, path: JSONPath) -> None:
        self._problems.error(message, self._at(*path))


def _kind(value: Any) -> str:
    if isinstance(value, (dict, list)):
        return "an object" if isinstance(value, dict) else "a list"
    return "null" if value is None else f"the text '{value}'" if isinstance(value, str) else f"{value!r}".lower()
