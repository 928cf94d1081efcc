"""The migration report as plain data: what each component of the legacy configs became, and what is left to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

from clara_compat.errors import Address

__all__ = [
    "DOES_NOT_RUN",
    "FIDELITIES",
    "LOOK",
    "MEND",
    "NOTHING",
    "PORT",
    "REPLACE",
    "USER_CODE",
    "ComponentReport",
    "ConfigReport",
    "Effort",
    "EntryText",
    "FileReport",
    "FindingReport",
    "MigrationReport",
    "NativeText",
    "Remark",
    "SettingReport",
    "fidelity_counts",
]

USER_CODE, DOES_NOT_RUN = "user code", "does not run"
"""Fidelity of the user's own component, and of one that has no counterpart."""

FIDELITIES = {
    "exact": "the documented mathematics, unchanged",
    "approximate": "documented, and met with the difference that is told",
    "assumed": "not documented by Clara: a choice was made, and is told",
    USER_CODE: "your own code, which runs as it is",
    DOES_NOT_RUN: "not accepted: it has no counterpart here",
}
"""Levels of fidelity, the best first, with what they mean."""

NOTHING: Final = "none"
LOOK: Final = "look at the difference"
MEND: Final = "mend your code: lines of it do not run"
PORT: Final = "port your code before leaving clara_compat"
REPLACE: Final = "replace: not accepted"

Effort = Literal[
    "none",
    "look at the difference",
    "mend your code: lines of it do not run",
    "port your code before leaving clara_compat",
    "replace: not accepted",
]
"""What is left to do of a component or a file."""


@dataclass(frozen=True)
class EntryText:
    """An entry of a bundle config.

    Args:
        id: ``train#preprocessing#transforms#2``.
        text: it as JSON.
    """

    id: str
    text: str


@dataclass(frozen=True)
class NativeText:
    """What stands in the place of an entry in a bundle of plain MONAI.

    Args:
        entry: its id.
        was: what it points at with clara_compat.
        now: what stands there; empty where it was left out.
        text: how the results differ, in a sentence; empty where they do not.
    """

    entry: str
    was: str
    now: str
    text: str


@dataclass(frozen=True)
class Remark:
    """A sentence on a place of the user's files.

    Args:
        text: the sentence.
        address: the place, or None.
        lines: the lines around it with their numbers; empty where they cannot be shown.
    """

    text: str
    address: Address | None = None
    lines: str = ""


@dataclass(frozen=True)
class ComponentReport:
    """One component of a config.

    Args:
        address: file (below the MMAR where it is there), line and JSON path.
        name: its Clara name, or the path of the user's class.
        legacy: what stands in the file.
        overridden: JSON paths below it whose values came from ``--set``.
        becomes: what runs in its place, in words.
        entries: the entries of the bundle config.
        needs: what of clara_compat the entries point at.
        fidelity: a key of ``FIDELITIES``.
        difference: the difference from the original, in words; empty where there is none.
        effort: what is left to do.
        reason: why.
        native: what stands in the place of its entries in a bundle of plain MONAI, where one was made.
    """

    address: Address
    name: str
    legacy: str
    becomes: str
    fidelity: str
    difference: str
    effort: Effort
    reason: str
    overridden: tuple[str, ...] = ()
    entries: tuple[EntryText, ...] = ()
    needs: tuple[str, ...] = ()
    native: tuple[NativeText, ...] = ()


@dataclass(frozen=True)
class SettingReport:
    """A value at the top of a config.

    Args:
        name: ``epochs``.
        address: where it was set: in the config, in the environment file, or by ``--set``.
        value: it as JSON.
        entries: where it is now.
        note: what is to be said of it, or empty.
    """

    name: str
    address: Address
    value: str
    entries: tuple[EntryText, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class FindingReport:
    """What the linter says of one line.

    Args:
        line: 1-based.
        status: ``runs``, ``runs, differs``, ``not provided`` or ``does not run``.
        message: in one sentence; of a symbol that simply runs, its name.
        port: what to write with torch or MONAI, or empty.
    """

    line: int
    status: str
    message: str
    port: str = ""


@dataclass(frozen=True)
class FileReport:
    """A file of the user's code.

    Args:
        file: its name, below the MMAR where it is there.
        classes: those that the configs name; none for a file that others import.
        lines: how many lines of it are not empty.
        findings: what the linter says, by line.
        effort: what is left to do.
        todo: the same in words.
    """

    file: str
    classes: tuple[str, ...]
    lines: int
    findings: tuple[FindingReport, ...]
    effort: Effort
    todo: str


@dataclass(frozen=True)
class ConfigReport:
    """One config.

    Args:
        file: its name, below the MMAR where it is there.
        kind: what it is for; ``unreadable`` where that could not be told.
        components: in the order of the config.
        settings: the values at its top.
        errors: what must be mended before it can run.
        limits: what is right in Clara's terms and not accepted.
        notices: what is odd but harmless, and choices that were made.
        elsewhere: entries that belong to no component and became something else in plain MONAI.
    """

    file: str
    kind: Literal["training", "evaluation", "unreadable"]
    components: tuple[ComponentReport, ...] = ()
    settings: tuple[SettingReport, ...] = ()
    errors: tuple[Remark, ...] = ()
    limits: tuple[Remark, ...] = ()
    notices: tuple[Remark, ...] = ()
    elsewhere: tuple[NativeText, ...] = ()


@dataclass(frozen=True)
class MigrationReport:
    """Everything that a migration has to tell.

    Args:
        name: of the MMAR's folder.
        configs: one report each.
        files: of the user's code, those first that the configs name.
        versions: of Python and the packages, by name.
        date: when it was made: ``2025-06-30 14:05 UTC``.
        native: whether a bundle of plain MONAI was made as well, with its differences told.
    """

    name: str
    configs: tuple[ConfigReport, ...]
    files: tuple[FileReport, ...] = ()
    versions: dict[str, str] = field(default_factory=dict)
    date: str = ""
    native: bool = False

    def components(self) -> Iterator[ComponentReport]:
        """Yield the components of all configs."""
        for config in self.configs:
            yield from config.components


def fidelity_counts(report: MigrationReport) -> dict[str, int]:
    """Return how many components there are of each level of fidelity, the best first."""
    counts = dict.fromkeys(FIDELITIES, 0)
    for component in report.components():
        counts[component.fidelity] += 1
    return counts
