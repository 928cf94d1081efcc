"""From the substituted document to resolved components: names, paths, aliases, refs, disabled, single slots.

The syntax is that of clara-3.1 facts, section 1.4.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace

from clara_compat.config.built_in import BuiltIn, find_built_in
from clara_compat.config.elements import Element, ElementReader, Slot
from clara_compat.config.paths import JSONPath, format_path
from clara_compat.config.positions import Located
from clara_compat.config.problems import Problems
from clara_compat.config.spec import FAMILY_WORDS, Catalogue, ComponentSpec
from clara_compat.config.stock import stock_family
from clara_compat.config.user_code import ModuleNotFound, UserClass, find_user_class
from clara_compat.config.user_roots import UserRoots
from clara_compat.errors import Address, ClaraError, suggestion

__all__ = ["Catalogue", "ComponentResolver", "ComponentSpec", "Slot"]

_BUILT_IN_PACKAGES = ("ai4med.", "clara_compat.")


class ComponentResolver:
    """Resolves the components of one document, in two passes: all that are named, then all that refer to those.

    Args:
        document: the document, variables put in.
        undefined: variables without a value, by path.
        roots: where user code may lie.
        catalogue: the built-in components.
        problems: takes every error and notice.
        user_code_required: whether user code that is not found is an error rather than a notice.
        ref_section: the section whose components a ``ref`` may name; None for the whole document.
    """

    def __init__(
        self,
        document: Located,
        undefined: Mapping[JSONPath, str],
        roots: UserRoots,
        catalogue: Catalogue,
        problems: Problems,
        user_code_required: bool = True,
        ref_section: str | None = "train",
    ) -> None:
        self._ref_section = ref_section
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
            slots: in order; a ``ref`` may name any component of the referable section.

        Returns:
            The enabled components of each slot by its path; at most one for a single slot.
        """
        reader = ElementReader(self._document, self._undefined, self._problems)
        written = {slot.path: list(reader.elements(slot)) for slot in slots}
        named = [item for items in written.values() for item in items if item.ref is None and self._is_referable(item)]
        found: dict[JSONPath, list[ComponentSpec]] = {}
        for slot in slots:
            enabled = [item for item in written[slot.path] if item.enabled]
            if slot.single and len(enabled) > 1:
                enabled = [self._one_of(enabled, slot)]
            before = len(self._problems.errors)
            specs = [self._referred(item, named) if item.ref is not None else self._named(item) for item in enabled]
            found[slot.path] = [spec for spec in specs if spec is not None]
            if len(self._problems.errors) > before:
                self.broken.add(slot.path)
        return found

    def _is_referable(self, item: Element) -> bool:
        return self._ref_section is None or item.path[0] == self._ref_section

    def _one_of(self, enabled: Sequence[Element], slot: Slot) -> Element:
        """Return the first of several enabled candidates; an error unless a search was to choose between them."""
        lines = ", ".join(f"{item.dotted or item.ref} (line {item.address.line})" for item in enabled)
        if all(item.searched for item in enabled):
            text = (
                f"{len(enabled)} are enabled ({lines}) for a search to choose from: without a search the first is used"
            )
            self._problems.notice(text, self._at(*slot.path))
        else:
            self._error(f"{len(enabled)} are enabled ({lines}), expected one: disable all but one", slot.path)
        return enabled[0]

    def _named(self, item: Element) -> ComponentSpec | None:
        """Second pass: the class of a named component; each is looked up once."""
        if item.path not in self._specs:
            try:
                self._specs[item.path] = self._look_up(item)
            except ClaraError as error:
                self._problems.take(error)
                self._specs[item.path] = None
        return self._specs[item.path]

    def _look_up(self, item: Element) -> ComponentSpec | None:
        name = item.dotted.rpartition(".")[2]
        built_in: BuiltIn | None = None
        user: UserClass | None = None
        family = stock = stock_family(item.dotted, item.address)
        if stock is None and ("." not in item.dotted or item.dotted.startswith(_BUILT_IN_PACKAGES)):
            built_in = self._built_in(item, name)
            name, family = built_in.name, built_in.family
        elif stock is None:
            user = self._user_class(item)
            family = user.family if user else None
        self._check_family(name, family, item.slot, item.address)
        if built_in is not None and built_in.notice:
            self._problems.notice(built_in.notice, item.address)
        if built_in is not None and built_in.left_out:
            return None
        size = len(item.args_path)
        undefined = {
            str(path[size]): variable
            for path, variable in self._undefined.items()
            if len(path) > size and path[:size] == item.args_path
        }
        return ComponentSpec(
            name=name,
            alias=item.alias,
            cls=None if built_in is None else built_in.cls,
            user=user,
            args=item.args if built_in is None else built_in.args,
            address=item.address,
            section=format_path(item.slot.path),
            dotted=item.dotted,
            undefined=undefined,
            document=self._document,
            args_path=item.args_path,
            pending=built_in is not None and built_in.cls is None,
            base=self._catalogue.components.get(user.inherits or "") if user is not None else None,
            stock=stock is not None,
        )

    def _built_in(self, item: Element, name: str) -> BuiltIn:
        found: BuiltIn | str = "has no module: write module.Class, or use 'name' for Clara's own"
        if item.key != "path" or "." in item.dotted:
            found = find_built_in(name, item.args, self._catalogue)
        if isinstance(found, BuiltIn):
            return found
        raise ClaraError(f"'{item.dotted}' {found}", self._at(*item.path, item.key))

    def _user_class(self, item: Element) -> UserClass | None:
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

    def _referred(self, item: Element, named: Sequence[Element]) -> ComponentSpec | None:
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
                self._error(
                    f"the ref '{ref}' names no component of {self._ref_section or 'this file'}{near}",
                    (*item.path, "ref"),
                )
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
