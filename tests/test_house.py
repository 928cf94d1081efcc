"""The rules of the house that a machine can check: who imports whom, and how long a module is."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "clara_compat"

MAY_IMPORT = {
    "errors": set(),
    "common": {"errors"},
    "components": {"common", "errors"},
    "config": {"common", "components", "errors"},
    "translate": {"common", "components", "config", "errors"},
    "engine": {"common", "errors"},
    "tensorflow": {"common", "errors"},
    "lint": {"config", "errors"},
    "report": {"common", "errors"},
    "run": {"common", "components", "config", "engine", "errors", "report", "translate"},
    "demo": {"common", "errors", "report", "run"},
    "cli": {"components", "demo", "errors", "lint", "report", "run"},
}
"""What a room's modules may import of ours at module level; inside a call the rooms below are open."""

HEAVY = {"ignite", "matplotlib", "monai", "nibabel", "scipy", "tensorboard", "torch"}
LIGHT_ROOMS = {"cli", "common", "components", "config", "demo", "errors", "lint", "translate"}
"""Rooms whose modules must not import heavy packages at module level: ``--help`` and ``check`` stay instant."""

MODULES = sorted(PACKAGE.rglob("*.py"))


def room(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def imports(path: Path) -> set[str]:
    """The modules a file imports when it is imported, those for type checkers left out."""
    found: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_downwards(path: Path) -> None:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    own = parts[0]
    if own == "__init__":
        return
    for module in imports(path):
        if module.split(".")[0] == "clara_compat" and room(module) != own:
            assert room(module) in MAY_IMPORT[own], f"{own} imports {module}"
        if own in LIGHT_ROOMS:
            assert module.split(".")[0] not in HEAVY, f"{own} imports {module} at module level"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_is_one_concept(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 300
