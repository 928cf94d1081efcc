"""Imports that cannot succeed: paths of ``ai4med`` that are not there, packages that need TensorFlow itself."""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from clara_compat.lint.findings import Finding, Status
from clara_compat.lint.source import Module, at
from clara_compat.lint.table import alike

__all__ = ["import_findings"]

_LEGACY = ("ai4med", "dlmed", "nvmidl")
_OF_THE_FACADE = frozenset({"tensorflow", "keras", "tf_slim", "numpy"})
_ON_TENSORFLOW = frozenset(
    {
        *("tensorflow_addons", "tensorflow_probability", "tensorflow_hub", "tensorflow_datasets", "tensorlayer"),
        *("tensorpack", "tf_keras", "tflearn", "sonnet", "niftynet", "dltk", "keras_contrib", "keras_applications"),
        *("keras_preprocessing", "kerastuner", "segmentation_models", "efficientnet", "classification_models"),
    }
)
"""Packages that are written with TensorFlow or Keras, which they import themselves."""


def import_findings(module: Module) -> Iterator[Finding]:
    """Yield a finding for each import that cannot succeed; those that a ``try`` guards are left out."""
    for node in module.nodes:
        if isinstance(node, ast.Import) and not module.names.guarded(node):
            for alias in node.names:
                yield from _imported(module, node, alias.name)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level and not module.names.guarded(node):
            yield from _imported(module, node, node.module, [alias.name for alias in node.names])


def _imported(module: Module, node: ast.stmt, name: str, wanted: list[str] | None = None) -> Iterator[Finding]:
    line, column = at(node)
    top = name.partition(".")[0]
    if top in _ON_TENSORFLOW:
        text = f"imports {name}, which needs TensorFlow itself: use torch or MONAI in its place"
        yield Finding(line, column, Status.FAILS, text, name)
    elif top in _LEGACY:
        for message, near in _legacy(module, name, wanted):
            yield Finding(line, column, Status.FAILS, message, name, near)
    elif top not in _OF_THE_FACADE and not _is_there(module, top):
        text = f"imports {top}, which is neither installed here nor beside this file: make sure it is where this runs"
        yield Finding(line, column, Status.DIFFERS, text, top)


def _legacy(module: Module, name: str, wanted: list[str] | None) -> Iterator[tuple[str, str]]:
    """Yield what is missing of an import of a legacy package, in words, and the nearest that is there."""
    known = _legacy_modules()
    if not known:  # a checkout whose shims are not on the path
        return
    if name not in known and not module.table.is_module(name):
        homes = [home for home in (_home(one, known) for one in wanted or ()) if home]
        near = homes[0] if homes else alike(name, known)
        what = f"{wanted[0]} is in {near}" if homes and wanted else f"did you mean '{near}'?"
        yield f"there is no module {name} in clara_compat{'; ' + what if near else ''}", near
        return
    for one in wanted or ():
        if one == "*" or f"{name}.{one}" in known or module.table.find(f"{name}.{one}") is not None:
            continue
        names = known.get(name, frozenset())
        if one not in names and "*" not in names:
            home = _home(one, known)
            near = home or alike(one, names)
            hint = f"; it is in {home}" if home else f"; did you mean '{near}'?" if near else ""
            yield f"there is no {one} in {name}{hint}", near


def _home(name: str, known: Mapping[str, frozenset[str]]) -> str:
    """Return the module that has a name, or an empty text."""
    return min((module for module, names in known.items() if name in names), key=len, default="")


@cache
def _legacy_modules() -> Mapping[str, frozenset[str]]:
    """Return the names in each module of the legacy packages, read from their files."""
    found: dict[str, frozenset[str]] = {}
    for package in _LEGACY:
        spec = importlib.util.find_spec(package)
        for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
            for file in sorted(Path(folder).rglob("*.py")):
                parts = [package, *file.relative_to(folder).with_suffix("").parts]
                found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = _bound(file)
    return found


def _bound(file: Path) -> frozenset[str]:
    """Return what a module binds at its top; ``*`` among it when it imports everything of another."""
    names: set[str] = set()
    for node in ast.parse(file.read_bytes(), str(file)).body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return frozenset(names)


def _is_there(module: Module, top: str) -> bool:
    if top in sys.stdlib_module_names or _is_installed(top):
        return True
    folders = {module.file.parent, module.root}
    return top in module.beside or any((one / f"{top}.py").is_file() or (one / top).is_dir() for one in folders)


@cache
def _is_installed(top: str) -> bool:
    try:
        return importlib.util.find_spec(top) is not None
    except (ImportError, ValueError, AttributeError):
        return False
