"""The entries of a bundle that are not stock MONAI, and what differs where all of them are, as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from clara_compat.report.markdown import code_span, escaped, prose, table

__all__ = ["differing_entries", "entries_of", "is_own", "needed_entries"]

_OTHERS = ("clara_compat.", "monai.", "torch.", "$", "@")
"""Beginnings of what a difference was that is no component of the user's."""


def entries_of(config: Any, prefix: str, place: str = "") -> Iterator[tuple[str, str]]:
    """Find the entries that point into a package.

    Args:
        config: a bundle config, or part of one.
        prefix: of what they point at.
        place: id of the part.

    Yields:
        The id of an entry and what it points at.
    """
    if isinstance(config, Mapping):
        target = config.get("_target_")
        if isinstance(target, str) and target.startswith(prefix):
            yield place, target
        for name, value in config.items():
            yield from entries_of(value, prefix, f"{place}#{name}" if place else str(name))
    elif isinstance(config, (list, tuple)):
        for index, value in enumerate(config):
            yield from entries_of(value, prefix, f"{place}#{index}")


def is_own(was: str) -> bool:
    """Whether what something was before it became plain MONAI is a component of the user's.

    Args:
        was: what it pointed at.
    """
    return not was.startswith(_OTHERS)


def needed_entries(configs: Mapping[str, Mapping[str, Any]], described: Mapping[str, str]) -> Iterator[str]:
    """Yield the paragraphs on what needs clara_compat.

    Args:
        configs: the bundle's configs by name.
        described: what the entries' targets are, in a sentence each.
    """
    yield "## Entries that need clara_compat"
    found: dict[str, list[str]] = {}
    for name, config in configs.items():
        for place, target in entries_of(config, "clara_compat."):
            found.setdefault(target, []).append(f"{name}.json: {place}")
    if not found:
        yield "None: everything in it is stock MONAI or torch."
        return
    yield (
        "They have Clara's exact mathematics or life-cycle, which MONAI's nearest class has not. "
        "`clara-compat migrate --native` puts the nearest MONAI class in place of each and says how it differs."
    )
    rows = [
        [code_span(target), prose(described.get(target, "")), _places(places)]
        for target, places in sorted(found.items())
    ]
    yield _table(["points at", "what it is", "entry"], rows)


def differing_entries(differences: Sequence[tuple[str, str, str, str]]) -> Iterator[str]:
    """Yield the paragraphs on what must be ported, on what differs, and on what became MONAI's class as it was.

    Args:
        differences: (entry, what it was, what stands there, how it differs); alike ones share a row.
    """
    rows: dict[tuple[str, str, str], list[str]] = {}
    for entry, *what in differences:
        rows.setdefault((what[0], what[1], what[2]), []).append(entry)
    own: list[list[str]] = []
    differs: list[list[str]] = []
    same: list[list[str]] = []
    for (was, now, text), entries in rows.items():
        if not text:
            same.append([code_span(was), code_span(now) if now else "not needed", _places(entries)])
            continue
        row = [code_span(was), code_span(now) if now else "left out", _sentence(text), _places(entries)]
        (own if is_own(was) else differs).append(row)
    head = ["was", "is now", "how the results differ", "entry"]
    if own:
        yield "## Your own components that are still to be ported"
        yield "They need Clara, so this bundle does without them: until you port them, it is **not** what the MMAR was."
        yield _table(head, own)
    yield "## How it differs from what clara_compat runs"
    if differs:
        yield _table(head, differs)
    elif not own:
        yield "Not at all: every entry is stock MONAI or torch with the same mathematics."
    if same:
        yield "These give the same results as before:"
        yield _table(["was", "is now", "entry"], same)


def _sentence(text: str) -> str:
    """Return a difference as a sentence."""
    line = " ".join(text.split())
    return escaped(line[:1].upper() + line[1:].rstrip(".") + ".")


def _places(entries: Sequence[str]) -> str:
    return code_span(entries[0]) + _more(len(entries) - 1)


def _more(number: int) -> str:
    return "" if number == 0 else f" and {number} more"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(table(head, rows))
