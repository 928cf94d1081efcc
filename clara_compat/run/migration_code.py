"""The user's code that configs name: its files, and what the linter says of them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from clara_compat.config.components import ComponentSpec
from clara_compat.config.user_source import Source, read_source
from clara_compat.errors import ClaraError
from clara_compat.report.migration import MEND, NOTHING, PORT, Effort, FileReport, FindingReport

if TYPE_CHECKING:
    from clara_compat.lint.findings import FileReport as Linted

__all__ = ["file_reports", "is_plain", "user_files"]

_LEGACY = frozenset({"ai4med", "clara_compat", "dlmed", "keras", "nvmidl", "tensorflow"})
"""Packages that plain torch code does without."""
_INSTALLED = frozenset({"dist-packages", "site-packages"})


def user_files(specs: Iterable[ComponentSpec]) -> dict[Path, list[str]]:
    """Return the user's files that components need, with the classes that configs name in each.

    Files that those import from the same folder are among them, with no class. Nothing is imported.
    """
    found: dict[Path, list[str]] = {}
    waiting: list[tuple[Path, Path]] = []
    for spec in specs:
        if spec.user is None:
            continue
        names = found.setdefault(spec.user.file, [])
        if spec.user.class_name not in names:
            names.append(spec.user.class_name)
        waiting.append((spec.user.file, spec.user.root))
    seen: set[Path] = set()
    while waiting:
        file, root = waiting.pop(0)
        if file not in seen:
            seen.add(file)
            found.setdefault(file, [])
            waiting += [(other, root) for other in _imported(file, root)]
    return found


def is_plain(file: Path) -> bool:
    """Whether a file needs none of Clara's packages, nor TensorFlow."""
    source = _read(file)
    return source is not None and not source.imported_modules() & _LEGACY


def file_reports(specs: Sequence[ComponentSpec], shown: Callable[[Path], str]) -> list[FileReport]:
    """Lint the user's files.

    Args:
        specs: the components of all configs.
        shown: gives the name of a file in the report.
    """
    from clara_compat.lint.linter import lint

    files = user_files(specs)
    present = [file for file in files if file.is_file()]
    linted = lint(present).files if present else []
    return [_report(file, read, files[file], shown(file)) for file, read in zip(present, linted, strict=True)]


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


def _imported(file: Path, root: Path) -> Iterator[Path]:
    """Yield the files below ``root`` that a file imports."""
    source = _read(file)
    if source is None or _INSTALLED & set(root.parts):
        return
    for folder, parts in _modules(source, root):
        for length in range(len(parts), 0, -1):
            place = folder.joinpath(*parts[:length])
            found = [one for one in (place.with_name(f"{place.name}.py"), place / "__init__.py") if one.is_file()]
            yield from found


def _modules(source: Source, root: Path) -> Iterator[tuple[Path, list[str]]]:
    """Yield the modules that a file imports: the folder that the name starts from, and its parts."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            names = [alias.name.split(".") for alias in node.names]
            yield from ((root, parts) for parts in names if parts[0] not in _LEGACY)
        elif isinstance(node, ast.ImportFrom):
            module = node.module.split(".") if node.module else []
            if not node.level and module[0] in _LEGACY:
                continue
            above = [source.file.parent, *source.file.parent.parents]
            folder = root if not node.level else above[min(node.level, len(above)) - 1]
            if folder == root or root in folder.parents:
                yield from ((folder, [*module, *alias.name.split(".")]) for alias in node.names)


def _read(file: Path) -> Source | None:
    try:
        return read_source(file)
    except ClaraError:  # the linter says what is wrong with it
        return None
