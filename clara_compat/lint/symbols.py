"""Each use of a TensorFlow or Keras symbol: does the facade provide it, and with these arguments?"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator

from clara_compat.errors import suggestion
from clara_compat.lint.equivalents import equivalent, equivalents
from clara_compat.lint.findings import Finding, Status
from clara_compat.lint.source import Module, at
from clara_compat.lint.table import Provided, short

__all__ = ["symbol_uses"]

_OF_MODULES = frozenset({"__name__", "__doc__", "__file__", "__path__", "__dict__", "__all__"})


def symbol_uses(module: Module) -> Iterator[Finding]:
    """Yield a finding for each use; imports alone are none, for what is not provided may be imported."""
    for node, full in module.names.chains():
        yield from _use(module, node, full)
    if module.names.stars:
        for name in module.names.loads():
            star = module.from_star(name) if module.names.meaning(name) is None else None
            if star is not None:
                yield from _use(module, name, star)


def _use(module: Module, node: ast.expr, full: str) -> Iterator[Finding]:
    table = module.table
    name = table.canonical(full)
    if not name.startswith("tensorflow.") or name.rpartition(".")[2] in _OF_MODULES:
        return
    found = table.find(name)
    if found is None and table.is_module(name):
        return
    if found is None:
        near = table.same_name_elsewhere(name) or ("" if name in equivalents() else table.nearest(name))
        hint = f"; did you mean {short(near)}?" if near else ""
        yield _finding(node, Status.ABSENT, f"{short(name)}{hint}", name, near)
        return
    symbol, provided = found
    call = module.names.parents.get(node)
    called = symbol == name and isinstance(call, ast.Call) and call.func is node
    refused = _refused(call, provided) if called and isinstance(call, ast.Call) else ""
    if refused:
        yield _finding(node, Status.FAILS, f"{short(symbol)} {refused}", symbol)
    elif provided.note:
        yield _finding(node, Status.DIFFERS, f"{short(symbol)}: {provided.note.rstrip('.')}", symbol)
    else:
        yield _finding(node, Status.RUNS, short(symbol), symbol)


def _finding(node: ast.expr, status: Status, message: str, symbol: str, near: str = "") -> Finding:
    instead = equivalent(symbol)
    return Finding(*at(node), status, message, symbol, near, instead.text, instead.mind)


def _refused(call: ast.Call, provided: Provided) -> str:
    """Return which argument of a call the provided function does not take, in words, or an empty text."""
    signature = provided.signature
    if signature is None or _takes_anything(provided.value):
        return ""
    kinds = [parameter.kind for parameter in signature.parameters.values()]
    by_name = {
        name
        for name, parameter in signature.parameters.items()
        if parameter.kind in (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    }
    if inspect.Parameter.VAR_KEYWORD not in kinds:
        for keyword in call.keywords:
            if keyword.arg is not None and keyword.arg not in by_name:
                return f"does not take the argument '{keyword.arg}' here{suggestion(keyword.arg, by_name)}"
    positional = sum(
        kind in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD) for kind in kinds
    )
    spread = any(isinstance(argument, ast.Starred) for argument in call.args)
    if inspect.Parameter.VAR_POSITIONAL not in kinds and not spread and len(call.args) > positional:
        return f"takes {positional} arguments by position here, not {len(call.args)}"
    return ""


def _takes_anything(value: object) -> bool:
    """Whether the arguments of a class are not those of a constructor of its own."""
    return isinstance(value, type) and "__init__" not in {name for base in value.__mro__[:-1] for name in vars(base)}
