"""Read files and folders of user code, and say what runs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from clara_compat.errors import Address, ClaraError
from clara_compat.lint.channels import channel_findings
from clara_compat.lint.components import components, structure_findings
from clara_compat.lint.findings import FileReport, Finding, LintReport
from clara_compat.lint.legacy_imports import import_findings
from clara_compat.lint.patterns import pattern_findings
from clara_compat.lint.source import parsed
from clara_compat.lint.symbols import symbol_uses
from clara_compat.lint.table import Table, facade_table
from clara_compat.lint.tensors import tensor_findings

__all__ = ["lint"]

_RULES = (symbol_uses, import_findings, pattern_findings, channel_findings, tensor_findings, structure_findings)


def lint(paths: Sequence[str | os.PathLike[str]], table: Table | None = None) -> LintReport:
    """Say of each line of the user's code what runs, what does not, and what to write with torch or MONAI.

    Nothing is imported or run.

    Args:
        paths: Python files, and folders in which all of them are read; hidden folders, ``__pycache__`` and virtual
            environments are skipped.
        table: what is provided. By default the TensorFlow facade of clara_compat.

    Raises:
        ClaraError: a path is not there, is no Python file, or has none below it.
    """
    found = [(file, root) for path in paths for file, root in _files(Path(path))]
    table = facade_table() if table is None else table
    beside = frozenset(name for file, _ in found for name in (file.stem, file.parent.name))
    unique: dict[Path, tuple[Path, Path]] = {}
    for file, root in found:
        unique.setdefault(file.resolve(), (file, root))
    return LintReport([_report(file, root, table, beside) for file, root in unique.values()])


def _report(file: Path, root: Path, table: Table, beside: frozenset[str]) -> FileReport:
    report = FileReport(str(file).encode("utf-8", "replace").decode("utf-8"))
    module = parsed(file, root, table, beside)
    if isinstance(module, Finding):
        report.findings.append(module)
        return report
    report.findings = _in_order(finding for rule in _RULES for finding in rule(module))
    report.components = list(components(module, report.findings))
    return report


def _in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Sort findings by place; of the same symbol on the same line one is enough."""
    by_place = sorted(findings, key=lambda one: (one.line, one.column, one.message))
    return list({(one.line, one.status, one.message): one for one in reversed(by_place)}.values())[::-1]


def _files(path: Path) -> list[tuple[Path, Path]]:
    """Return the Python files at a path, each with the folder its module name starts from."""
    if path.is_file():
        if path.suffix != ".py":
            raise ClaraError("is no Python file: lint reads files that end in .py, and folders", Address(str(path)))
        return [(path, _top(path.parent))]
    if not path.is_dir():
        raise ClaraError("there is no such file or folder", Address(str(path)))
    files: list[Path] = []
    for folder, names, here in os.walk(path):
        names[:] = sorted(name for name in names if _is_read(Path(folder, name)))
        found = (Path(folder, name) for name in sorted(here) if name.endswith(".py") and not name.startswith("."))
        files += [file for file in found if file.is_file()]
    if not files:
        raise ClaraError("there is no Python file in this folder", Address(str(path)))
    return [(file, path) for file in files]


def _is_read(folder: Path) -> bool:
    return not folder.name.startswith((".", "__pycache__")) and not (folder / "pyvenv.cfg").is_file()


def _top(folder: Path) -> Path:
    """Return the folder above the packages that a folder is in."""
    while (folder / "__init__.py").is_file() and folder.parent != folder:
        folder = folder.parent
    return folder
