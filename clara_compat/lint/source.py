"""One file of the user's, parsed for the linter."""

from __future__ import annotations

import ast
import builtins
import warnings
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from clara_compat.lint.findings import Finding, Status
from clara_compat.lint.names import Names
from clara_compat.lint.table import Table

__all__ = ["Module", "at", "parsed"]

_MAX_BYTES = 10_000_000

_PYTHON_2 = (
    ("call to 'print'", "write print(...)"),
    ("call to 'exec'", "write exec(...)"),
    ("multiple exception types", "write 'except Error as error:'"),
    ("leading zeros in decimal integer literals", "write 0o777 for an octal number"),
    ("invalid decimal literal", ""),
    ("inconsistent use of tabs", "indent with spaces only"),
)
"""What Python's parser says of a construct of Python 2, and how to mend it."""


@dataclass(frozen=True)
class Module:
    """A parsed file.

    Args:
        file: where it is.
        root: folder its name starts from.
        tree: its syntax tree.
        names: what its names mean.
        table: what the facade provides.
        beside: names of modules and packages that are read together with this one.
    """

    file: Path
    root: Path
    tree: ast.Module
    names: Names
    table: Table
    beside: frozenset[str] = frozenset()

    def canonical(self, node: ast.AST) -> str:
        """Return the canonical TensorFlow name of an expression, or an empty text when it is none."""
        full = self.names.meaning(node)
        if full is None and isinstance(node, ast.Name):
            full = self.from_star(node)
        if full is None:
            return ""
        name = self.table.canonical(full)
        return name if name.startswith("tensorflow.") else ""

    def from_star(self, node: ast.Name) -> str | None:
        """Return the full name of what ``from keras.layers import *`` must have bound, or None."""
        stars = self.names.stars
        if not stars or self.names.is_bound(node.id) or node.id in _BUILT_IN:
            return None
        for star in stars:
            full = self.table.canonical(f"{star}.{node.id}")
            if self.table.find(full) is not None:
                return full
        ours = [star for star in stars if star.partition(".")[0] in ("tensorflow", "keras", "tf_slim")]
        return f"{ours[0]}.{node.id}" if len(ours) == len(stars) else None

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """All nodes of the tree."""
        return list(ast.walk(self.tree))

    @cached_property
    def calls(self) -> list[ast.Call]:
        """All calls."""
        return [node for node in self.nodes if isinstance(node, ast.Call)]


_BUILT_IN = frozenset({*dir(builtins), "__file__", "__path__"})


def parsed(file: Path, root: Path, table: Table, beside: frozenset[str] = frozenset()) -> Module | Finding:
    """Parse a file.

    Returns:
        The module, or what is to be said of a file that is not Python 3.
    """
    try:
        with file.open("rb") as stream:
            content = stream.read(_MAX_BYTES + 1)
        if len(content) > _MAX_BYTES:
            return Finding(1, 1, Status.FAILS, "is too large for a Python file")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(content, str(file))
            compile(content, str(file), "exec", dont_inherit=True)  # finds what the parser lets pass; nothing is run
    except SyntaxError as error:
        return _no_python(error)
    except (OSError, ValueError) as error:
        return Finding(1, 1, Status.FAILS, f"cannot be read as Python: {error}")
    except (RecursionError, MemoryError):
        return Finding(1, 1, Status.FAILS, "is nested too deeply for Python")
    return Module(file, root, tree, Names(tree), table, beside)


def _no_python(error: SyntaxError) -> Finding:
    advice = next((advice for words, advice in _PYTHON_2 if words in error.msg), None)
    text = f"is not Python 3: {error.msg}"
    if advice is not None and "print" in error.msg:
        text = "is not Python 3: 'print' is written as in Python 2"
    return Finding(
        max(error.lineno or 1, 1),
        max(error.offset or 1, 1),
        Status.FAILS,
        f"{text}; {advice}" if advice else text,
    )


def at(node: ast.AST) -> tuple[int, int]:
    """Return line and column of a node, both 1-based."""
    return getattr(node, "lineno", 1), getattr(node, "col_offset", 0) + 1
