"""Which files a user's components are made of: their modules, and what those import of the user's own.

Nothing is imported; only ``import`` statements with written-out names are followed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from clara_compat.config.user_code import UserClass
from clara_compat.config.user_source import read_source
from clara_compat.errors import ClaraError

__all__ = ["files_of", "trusted"]

_NEVER = frozenset({"ai4med", "clara_compat", "dlmed", "nvmidl"})
"""Packages that are never the user's, wherever a copy of them lies."""


def files_of(classes: Iterable[UserClass], roots: Sequence[Path]) -> dict[Path, Path]:
    """Return the files by the path at which one folder on the search path must have them.

    Args:
        classes: the components.
        roots: folders that modules are looked up in; the first hit wins, as when they run.
    """
    found: dict[Path, Path] = {}
    pending = [user.module for user in classes]
    seen: set[str] = set()
    while pending:
        name = pending.pop()
        if name in seen or name.partition(".")[0] in _NEVER:
            continue
        seen.add(name)
        pending += _parents(name)
        place = _module(name, roots)
        if place is None:
            continue
        below, file = place
        found[below] = file
        package = name if below.name == "__init__.py" else name.rpartition(".")[0]
        try:
            tree = read_source(file).tree
        except ClaraError:  # the class itself was read before: something beside it, which may never be run
            continue
        pending += _imported(tree, package)
    return dict(sorted(found.items()))


def trusted(files: Mapping[Path, Path], mmar: Path, roots: Sequence[Path]) -> tuple[dict[Path, Path], list[Path]]:
    """Return the files that may be copied, and those that links lead to out of the MMAR and out of PYTHONPATH.

    An MMAR may come from a stranger, whose links can lead to anything on this machine.

    Args:
        files: as :func:`files_of` returns them.
        mmar: folder of the MMAR.
        roots: folders that modules are looked up in.
    """
    places = [place.resolve() for place in (mmar, *(root for root in roots if not root.is_relative_to(mmar)))]
    kept = {
        below: file for below, file in files.items() if any(file.resolve().is_relative_to(place) for place in places)
    }
    return kept, [file for below, file in files.items() if below not in kept]


def _parents(name: str) -> Iterator[str]:
    parts = name.split(".")
    return (".".join(parts[:end]) for end in range(1, len(parts)))


def _module(name: str, roots: Sequence[Path]) -> tuple[Path, Path] | None:
    """Return where a module lies below its root, and its file; None when it is none of the user's."""
    parts = name.split(".")
    for root in roots:
        top = root / parts[0]
        if not (top.with_name(f"{top.name}.py").is_file() or top.is_dir()):
            continue
        for below in (Path(*parts, "__init__.py"), Path(*parts[:-1], f"{parts[-1]}.py")):
            if (root / below).is_file():
                return below, root / below
    return None


def _imported(tree: ast.Module, package: str) -> Iterator[str]:
    """Return the names of the modules that a file may import."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: max(0, len(package.split(".")) - node.level + 1)]
                base = ".".join(part for part in (*above, base) if part)
            if base:
                yield base
            yield from (f"{base}.{alias.name}" if base else alias.name for alias in node.names if alias.name != "*")
