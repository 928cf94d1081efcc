"""Which lines of a file a class needs."""

from __future__ import annotations

import ast

__all__ = ["lines_of"]

_Definition = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def lines_of(tree: ast.Module, definition: ast.ClassDef) -> set[int]:
    """Return the lines that run for a class.

    These are its own, those of functions and classes of the file that it names, and what runs at the import.
    """
    defined = {node.name: node for node in tree.body if isinstance(node, _Definition)}
    lines: set[int] = set()
    for statement in tree.body:
        if not isinstance(statement, _Definition):
            lines |= _lines(statement)
    pending: list[ast.AST] = [definition]
    seen: set[ast.AST] = set()
    while pending:
        node = pending.pop()
        if node in seen:
            continue
        seen.add(node)
        lines |= _lines(node)
        names = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
        pending += [defined[name] for name in names & defined.keys()]
    return lines


def _lines(node: ast.AST) -> set[int]:
    first, last = getattr(node, "lineno", 1), getattr(node, "end_lineno", None)
    decorators = [one.lineno for one in getattr(node, "decorator_list", [])]
    return set(range(min([first, *decorators]), (last or first) + 1))
