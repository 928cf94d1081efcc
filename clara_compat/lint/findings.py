"""What the linter found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Any

__all__ = ["Component", "FileReport", "Finding", "LintReport", "Status"]


class Status(str, Enum):
    """How something of the user's fares."""

    RUNS = "runs"
    DIFFERS = "runs, differs"
    ABSENT = "not provided"
    FAILS = "does not run"

    @property
    def passes(self) -> bool:
        """Whether it runs."""
        return self in (Status.RUNS, Status.DIFFERS)


@dataclass(frozen=True)
class Finding:
    """One place in a user's file.

    Args:
        line: 1-based.
        column: 1-based.
        status: whether it runs.
        message: what is to be said of it, in one sentence; of a symbol that simply runs, its name.
        symbol: full name of the TensorFlow symbol, numpy alias or module it is about; empty when it is about none.
        nearest: full name of the provided symbol most like it, or empty.
        equivalent: what to write with torch or MONAI, or empty.
        mind: what to mind when that is written, or empty.
    """

    line: int
    column: int
    status: Status
    message: str
    symbol: str = ""
    nearest: str = ""
    equivalent: str = ""
    mind: str = ""


@dataclass(frozen=True)
class Component:
    """One component that a file defines.

    Args:
        line: of the class.
        name: of the class.
        family: what it is: ``losses``, ``transforms``.
        status: whether it runs, as far as its source shows.
        message: in one sentence.
        equivalent: what MONAI has in its place, or empty.
    """

    line: int
    name: str
    family: str
    status: Status
    message: str
    equivalent: str = ""


@dataclass
class FileReport:
    """What was found in one file.

    Args:
        file: its name as the user gave it, or below the folder the user gave.
        components: the components it defines.
        findings: by line and column.
    """

    file: str
    components: list[Component] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether everything in it runs."""
        return all(one.status.passes for one in self.all())

    def all(self) -> Iterator[Component | Finding]:
        """Yield components and findings by line; a component stands before what is on its own line."""
        found: list[Component | Finding] = [*self.components, *self.findings]
        yield from sorted(found, key=lambda one: one.line)


@dataclass
class LintReport:
    """What was found in all files.

    Args:
        files: one report each, in the order they were read.
    """

    files: list[FileReport] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether everything runs."""
        return all(one.passed for one in self.files)

    def counts(self) -> dict[str, int]:
        """Return how many findings there are of each status."""
        found = Counter(finding.status for report in self.files for finding in report.findings)
        return {status.value: found[status] for status in Status}

    def as_json(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return {
            "passed": self.passed,
            "counts": {"files": len(self.files), **self.counts()},
            "files": [asdict(one) for one in self.files],
        }
