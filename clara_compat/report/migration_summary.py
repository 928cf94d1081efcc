"""What a migration report says in a minute: one sentence, and what is left to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from clara_compat.report.migration import (
    DOES_NOT_RUN,
    LOOK,
    MEND,
    PORT,
    USER_CODE,
    ComponentReport,
    ConfigReport,
    FileReport,
    MigrationReport,
    fidelity_counts,
)

__all__ = ["Link", "Task", "anchor", "differing", "file_anchor", "outcome", "tasks", "verdict"]

Outcome = Literal["blocked", "in part", "ready"]
Size = Literal["small", "medium", "large"]

_LARGE = 100
"""Lines above which a file is a large piece of work."""


@dataclass(frozen=True)
class Link:
    """A word that leads to a part of the page.

    Args:
        text: the word.
        anchor: id of the part.
    """

    text: str
    anchor: str


@dataclass(frozen=True)
class Task:
    """Something that is left to do.

    Args:
        size: ``small`` is to read and decide, or to change a few lines of a config; ``medium`` to work on a file of up
            to 100 lines; ``large`` on a longer one, or to replace a component.
        text: in one sentence.
        links: where the details are.
    """

    size: Size
    text: str
    links: tuple[Link, ...] = ()


def anchor(config: int, component: int | None = None) -> str:
    """Return the id of a config's part of the page, or of a component's, by their numbers."""
    return f"config-{config}" if component is None else f"config-{config}-component-{component}"


def file_anchor(number: int) -> str:
    """Return the id of the part of the page on a file of user code."""
    return f"file-{number}"


def outcome(report: MigrationReport) -> Outcome:
    """Return how it ended: ``blocked`` (errors), ``in part`` (something is not accepted or fails) or ``ready``."""
    if any(config.errors for config in report.configs):
        return "blocked"

    limits = any(config.limits for config in report.configs)
    short = limits or _failing(report) or fidelity_counts(report)[DOES_NOT_RUN] or _to_port(report)
    return "in part" if short else "ready"


def verdict(report: MigrationReport) -> str:
    """Return the outcome in one sentence."""
    counts = fidelity_counts(report)
    total, refused = sum(counts.values()), counts[DOES_NOT_RUN]
    ended = outcome(report)
    if ended == "blocked":
        errors = sum(len(config.errors) for config in report.configs)
        return f"Not yet: {_number(errors, 'thing')} must be mended before this can run."
    if ended == "in part":
        reasons = []
        if refused:
            reasons.append(f"{refused} of {_number(total, 'component')} {_verb(refused, 'has', 'have')} no counterpart")
        failing = len(_failing(report))
        if failing:
            files = _number(failing, "file")
            reasons.append(f"{files} of your own code {_verb(failing, 'has', 'have')} lines that do not run")
        if not refused and any(config.limits for config in report.configs):
            reasons.append("it asks for what is not accepted")
        if own := _to_port(report):
            one, several = (
                "is left out of this bundle or has a stand-in",
                "are left out of this bundle or have stand-ins",
            )
            until = f"until you port {_verb(len(own), 'it', 'them')}"
            reasons.append(f"{len(own)} of your own components {_verb(len(own), one, several)} there, {until}")
        return f"Not all of it runs: {_and(reasons)}."
    if report.native:
        changed = len(differing(report))
        return (
            f"All of it runs in plain MONAI: {changed} of {_number(total, 'component')} with other results than before."
        )
    same = counts["exact"] + counts[USER_CODE]
    if same == total:
        return f"All of it runs: {_number(total, 'component')}, each as documented or as you wrote it."
    return (
        f"All of it runs: {same} of {_number(total, 'component')} as documented or as you wrote them, "
        f"{total - same} with a difference or a choice that you should know."
    )


def tasks(report: MigrationReport) -> list[Task]:
    """Return what is left to do, the most pressing first."""
    return [*_mend(report), *_replace(report), *_code(report), *_look(report), *_native(report)]


def differing(report: MigrationReport) -> list[ComponentReport]:
    """Return the components that give other results in plain MONAI."""
    return [component for component in report.components() if _differs(component)]


def _differs(component: ComponentReport) -> bool:
    return any(one.text for one in component.native)


def _to_port(report: MigrationReport) -> list[str]:
    """Return the user's components that a bundle of plain MONAI does without, by name."""
    return list(dict.fromkeys(one.name for one in differing(report) if one.fidelity == USER_CODE))


def _mend(report: MigrationReport) -> Iterator[Task]:
    for number, config in enumerate(report.configs):
        if config.errors:
            links = (Link(config.file, f"{anchor(number)}-errors"),)
            yield Task("small", f"Mend {_number(len(config.errors), 'error')}.", links)


def _replace(report: MigrationReport) -> Iterator[Task]:
    links = _links(report, lambda component: component.fidelity == DOES_NOT_RUN)
    if links:
        yield Task("large", "Replace what is not accepted, or leave it out.", links)
    for number, config in enumerate(report.configs):
        others = _other_limits(config)
        if others:
            links = (Link(config.file, f"{anchor(number)}-limits"),)
            text = f"Change {_number(others, 'setting')} that {_verb(others, 'is', 'are')} not accepted."
            yield Task("small", text, links)


def _other_limits(config: ConfigReport) -> int:
    """Return how many limits are about something else than a component."""
    components = {component.address for component in config.components if component.fidelity == DOES_NOT_RUN}
    return sum(limit.address not in components for limit in config.limits)


def _code(report: MigrationReport) -> Iterator[Task]:
    for number, file in enumerate(report.files):
        if file.effort == MEND:
            yield Task(_size(file), "Mend lines of your own code that do not run.", (_file_link(number, file),))
    for number, file in enumerate(report.files):
        if file.effort in (MEND, PORT):
            until = ": this bundle does without them" if report.native else " before you leave clara_compat"
            text = f"Port {_number(file.lines, 'line')} of your own code{until}."
            yield Task(_size(file), text, (_file_link(number, file),))


def _look(report: MigrationReport) -> Iterator[Task]:
    links = _links(report, lambda component: component.effort == LOOK)
    if links:
        yield Task("small", "Read the differences and choices, and decide whether they matter to you.", links)


def _native(report: MigrationReport) -> Iterator[Task]:
    number = sum(bool(one.text) for component in report.components() for one in component.native)
    number += sum(bool(one.text) for config in report.configs for one in config.elsewhere)
    if number:
        links = _links(report, _differs)
        entries = f"{_number(number, 'entry', 'entries')} of it {_verb(number, 'differs', 'differ')}"
        yield Task("medium", f"Compare results before you use the bundle of plain MONAI: {entries}.", links)


def _links(report: MigrationReport, wanted: Callable[[ComponentReport], bool]) -> tuple[Link, ...]:
    """Return a link for each name of a wanted component, to the first of that name."""
    found: dict[str, Link] = {}
    for number, config in enumerate(report.configs):
        for index, component in enumerate(config.components):
            if wanted(component):
                found.setdefault(component.name, Link(component.name, anchor(number, index)))
    return tuple(found.values())


def _failing(report: MigrationReport) -> list[FileReport]:
    return [file for file in report.files if file.effort == MEND]


def _file_link(number: int, file: FileReport) -> Link:
    return Link(file.file, file_anchor(number))


def _size(file: FileReport) -> Size:
    return "large" if file.lines > _LARGE else "medium"


def _number(count: int, word: str, words: str = "") -> str:
    return f"{count} {word if count == 1 else words or f'{word}s'}"


def _verb(count: int, one: str, several: str) -> str:
    return one if count == 1 else several


def _and(parts: Sequence[str]) -> str:
    return " and ".join(parts)
