"""The user's code that configs name: its files, and what the linter says of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from clara_compat.config.loading import Workflow
from clara_compat.config.user_code import UserClass
from clara_compat.config.user_files import files_of
from clara_compat.config.user_source import Source, read_source
from clara_compat.errors import ClaraError
from clara_compat.report.migration import MEND, NOTHING, PORT, Effort, FileReport, FindingReport

if TYPE_CHECKING:
    from clara_compat.lint.findings import FileReport as Linted

__all__ = ["file_reports", "is_plain"]

_LEGACY = frozenset({"ai4med", "clara_compat", "dlmed", "keras", "nvmidl", "tensorflow"})
"""Packages that plain torch code does without."""


def is_plain(file: Path) -> bool:
    """Whether a file needs none of Clara's packages, nor TensorFlow."""
    source = _read(file)
    return source is not None and not source.imported_modules() & _LEGACY


def file_reports(
    workflows: Sequence[Workflow], shown: Callable[[Path], str], further: Sequence[UserClass] = ()
) -> list[FileReport]:
    """Lint the user's files, and those of the user's that they import; first those that the configs name.

    Args:
        workflows: the configs.
        shown: gives the name of a file in the report.
        further: the user's classes that no config names, such as the network of an evaluation's weights.
    """
    from clara_compat.lint.linter import lint

    users = [spec.user for workflow in workflows for spec in workflow.specs if spec.user is not None]
    users += [user for user in further if user not in users]
    roots = [Path(root) for workflow in workflows for root in workflow.user_roots]
    roots += [user.root for user in further]
    named: dict[Path, list[str]] = {}
    for user in users:
        names = named.setdefault(user.file.absolute(), [])
        names += [name for name in (user.class_name,) if name not in names]
    found = [*named, *(file.absolute() for file in files_of(users, list(dict.fromkeys(roots))).values())]
    unique: dict[Path, Path] = {}
    for file in found:
        unique.setdefault(file.resolve(), file)
    files = list(unique.values())
    linted = lint(files).files if files else []
    return [_report(file, read, named.get(file, ()), shown(file)) for file, read in zip(files, linted, strict=True)]


def _report(file: Path, linted: Linted, classes: Sequence[str], name: str) -> FileReport:
    findings = [FindingReport(one.line, one.status.value, one.message, one.equivalent) for one in linted.all()]
    places = [one for one in linted.findings if not one.status.passes] or linted.components
    failing = sorted({one.line for one in places if not one.status.passes})
    lines = sum(bool(line.strip()) for line in file.read_text(encoding="utf-8", errors="replace").splitlines())
    effort, todo = _todo(failing, is_plain(file), findings)
    return FileReport(name, tuple(classes), lines, tuple(findings), effort, todo)


def _todo(failing: Sequence[int], plain: bool, findings: Sequence[FindingReport]) -> tuple[Effort, str]:
    if failing:
        numbers = ", ".join(map(str, failing[:10])) + (", …" if len(failing) > 10 else "")
        word = "line" if len(failing) == 1 else "lines"
        first = f"Mend {word} {numbers} first: a run ends where it reaches one of them."
        return MEND, f"{first} Port the file before you leave clara_compat."
    if plain:
        return NOTHING, "It uses nothing of Clara's or TensorFlow's: it goes along as it is."
    known = sum(bool(one.port) for one in findings)
    hint = f" For {known} of its places the table says what to write." if known else ""
    text = "It runs as it is, on what clara_compat provides. Without clara_compat it must be ported to torch and MONAI."
    return PORT, text + hint


def _read(file: Path) -> Source | None:
    try:
        return read_source(file)
    except ClaraError:  # the linter says what is wrong with it
        return None
