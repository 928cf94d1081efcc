"""The reference pages of the documentation as Markdown, from plain data about the catalogue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from clara_compat.report.markdown import code_span, link, prose, table

__all__ = ["Argument", "Described", "OldName", "Reference", "components_page", "family_title", "fidelity_page"]

_LEVELS = {
    "exact": "the documented mathematics; tests compare it with an independent reference",
    "approximate": "documented, and met except for what is said",
    "assumed": "not documented; what is said was chosen",
}
_FAMILIES = {
    "lr_policies": "Learning rate policies",
    "aux_ops": "Auxiliary operations",
    "model_loaders": "Model loaders",
}
_SHARED = 8
"""Arguments from which on those of an earlier component are named together instead of listed again."""
_COMPONENTS = """# Components

<!-- Made by `make docs` from the catalogue: change the components' docstrings and fidelity, not this page. -->

The {} components of Clara Train 3.1 that run, by family, with the arguments a config may give them. Names, order and
defaults of the arguments are Clara's. What differs from the original, and what was chosen where nothing is documented,
is in [FIDELITY.md](FIDELITY.md), and so are the [names of earlier versions](FIDELITY.md#names-of-earlier-versions).
"""
_FIDELITY = """# Fidelity

<!-- Made by `make docs` from the catalogue: change the components' docstrings and fidelity, not this page. -->

Clara Train 3.1 was closed software: what is here was built from its public documentation and from published configs.
This page has every difference from the original and every choice, component by component; what the components do is in
[COMPONENTS.md](COMPONENTS.md). `clara-compat check` prints the lines of this page that concern a config. No level
promises the weights that TensorFlow gave: another framework draws other random numbers and adds in another order.
"""


@dataclass(frozen=True)
class Argument:
    """One argument of a component's constructor.

    Args:
        name: its name.
        kind: what it takes, in words.
        default: its default as JSON, or None when it must be given.
        meaning: a phrase; double backticks mark code.
    """

    name: str
    kind: str
    default: str | None
    meaning: str


@dataclass(frozen=True)
class Described:
    """One component of the catalogue.

    Args:
        name: Clara's name.
        family: its family.
        path: where Clara's users import it from.
        text: paragraphs on what it does, the first of which is one sentence.
        arguments: of the constructor, in its order.
        becomes: what runs in its place.
        level: ``exact``, ``approximate`` or ``assumed``.
        note: what differs or was chosen.
    """

    name: str
    family: str
    path: str
    text: Sequence[str]
    arguments: Sequence[Argument]
    becomes: str
    level: str
    note: str


@dataclass(frozen=True)
class OldName:
    """A name of an earlier version.

    Args:
        name: the old name.
        now: the component it became; empty when the loader does its work.
        arguments: new names of arguments by their old ones.
        dropped: arguments without a meaning today.
        note: where the translation comes from, or what the loader does.
    """

    name: str
    now: str
    arguments: Mapping[str, str]
    dropped: Sequence[str]
    note: str


@dataclass(frozen=True)
class Reference:
    """All that the pages are made from.

    Args:
        families: names of the families, in the order of the pages.
        components: by family and name as the pages shall have them.
        old_names: names of earlier versions.
        not_yet: families by the names of Clara's components that do not run yet.
    """

    families: Sequence[str]
    components: Sequence[Described]
    old_names: Sequence[OldName]
    not_yet: Mapping[str, str]

    def of(self, family: str) -> list[Described]:
        """Return the components of a family."""
        return [one for one in self.components if one.family == family]

    def awaited(self, family: str) -> list[str]:
        """Return the names of a family that do not run yet."""
        return sorted(name for name, of in self.not_yet.items() if of == family)


def components_page(reference: Reference) -> str:
    """Return ``COMPONENTS.md``: every component, what it becomes, and its arguments."""
    lines = [
        _COMPONENTS.format(len(reference.components)),
        " · ".join(link(family_title(family)) for family in reference.families if _is_there(reference, family)),
    ]
    for family in reference.families:
        if not _is_there(reference, family):
            continue
        components = reference.of(family)
        lines += ["", f"## {family_title(family)}", ""]
        if components:
            rows = [(link(one.name), prose(one.text[0]), one.level) for one in components]
            lines += table(("component", "what it does", "fidelity"), rows)
        lines += _awaited(reference, family, blank=bool(components))
        listed: list[Described] = []
        for one in components:
            shared = [each for each in listed if set(each.arguments) <= set(one.arguments)]
            lines += _component(one, shared[0] if shared else None)
            if not shared and len(one.arguments) >= _SHARED:
                listed.append(one)
    return "\n".join(lines) + "\n"


def fidelity_page(reference: Reference) -> str:
    """Return ``FIDELITY.md``: every difference from the original, and every choice, in one place."""
    levels = Counter(one.level for one in reference.components)
    lines = [
        _FIDELITY,
        *table(
            ("level", "meaning", "components"),
            [(f"**{level}**", meaning, str(levels[level])) for level, meaning in _LEVELS.items()],
        ),
        "",
    ]
    rows = []
    for family in reference.families:
        if _is_there(reference, family):
            found = Counter(one.level for one in reference.of(family))
            numbers = [*(found[level] for level in _LEVELS), len(reference.awaited(family))]
            rows.append((link(family_title(family)), *(str(number) if number else "" for number in numbers)))
    lines += table(("family", *_LEVELS, "not yet"), rows)
    for family in reference.families:
        if not _is_there(reference, family):
            continue
        lines += ["", f"## {family_title(family)}", ""]
        noted = [one for one in reference.of(family) if one.note]
        if noted:
            cells = [(_reference_to(one.name), one.level, prose(one.note)) for one in noted]
            lines += table(("component", "level", "what differs, or was chosen"), cells)
        plain = [_reference_to(one.name) for one in reference.of(family) if not one.note]
        if plain:
            lines += [*([""] if noted else []), f"Exact, with nothing to add: {', '.join(plain)}."]
        lines += _awaited(reference, family, blank=bool(noted or plain))
    return "\n".join([*lines, "", *_old_names(reference)]) + "\n"


def _component(one: Described, shared: Described | None) -> list[str]:
    """Return the section of a component; it does not list again the arguments that it shares with another one."""
    lines = ["", f"### {one.name}", ""]
    for paragraph in one.text:
        lines += [prose(paragraph), ""]
    lines += [f"Imported from `{one.path.rpartition('.')[0]}`; becomes {_code(one.becomes)}.", ""]
    arguments = [each for each in one.arguments if shared is None or each not in shared.arguments]
    if shared is not None:
        lines += [f"Arguments: those of {link(shared.name)}" + (", and" if arguments else ".")]
        lines += [""] if arguments else []
    elif not arguments:
        lines.append("It takes no arguments.")
    if arguments:
        lines += table(("argument", "takes", "default", "meaning"), [_argument(each) for each in arguments])
    return lines


def _argument(one: Argument) -> tuple[str, str, str, str]:
    default = "*required*" if one.default is None else code_span(one.default)
    return code_span(one.name), prose(one.kind), default, prose(one.meaning)


def _old_names(reference: Reference) -> Iterator[str]:
    there = {one.name for one in reference.components}
    yield "## Names of earlier versions"
    yield ""
    yield "Configs of Clara 1 and 2 run under their own spelling; a notice says what each became."
    yield ""
    rows = []
    for one in reference.old_names:
        renamed = [f"`{old}` is `{new}`" for old, new in one.arguments.items()]
        dropped = [f"`{name}` is left out" for name in one.dropped]
        now = _reference_to(one.now) if one.now in there else one.now or "nothing"
        rows.append((code_span(one.name), now, "; ".join([*renamed, *dropped]), prose(one.note)))
    yield from table(("old name", "became", "arguments", "source"), rows)


def _is_there(reference: Reference, family: str) -> bool:
    return bool(reference.of(family) or reference.awaited(family))


def _awaited(reference: Reference, family: str, *, blank: bool) -> list[str]:
    names = reference.awaited(family)
    line = f"Clara's, and not run by this version yet: {', '.join(names)}."
    return [*([""] if blank else []), line] if names else []


def family_title(family: str) -> str:
    """Return a family's name as a heading has it."""
    return _FAMILIES.get(family, family.capitalize())


def _reference_to(name: str) -> str:
    """Return a link to a component's section of the other page."""
    return f"[{name}](COMPONENTS.md#{name.lower()})"


def _code(becomes: str) -> str:
    """Return a dotted path as code, other words as they are."""
    return code_span(becomes) if " " not in becomes else prose(becomes)
