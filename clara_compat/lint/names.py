"""What names in a source mean, as far as its import statements say.

``import tensorflow as tf``, ``from keras.layers import *``, ``slim = tf.contrib.slim``, imports inside functions and
``try``: a name is what it is bound to where it is used. A name that a function binds itself is not the module's.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

__all__ = ["Names"]

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_NAMED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.ExceptHandler, ast.MatchAs, ast.MatchStar)
_MAX_STEPS = 20  # of aliases of aliases; more is a circle


@dataclass
class _Scope:
    parent: _Scope | None
    is_class: bool = False
    bound: dict[str, list[tuple[int, str | ast.expr | None]]] = field(default_factory=dict)
    outer: set[str] = field(default_factory=set)

    def bind(self, name: str, rank: int, value: str | ast.expr | None) -> None:
        self.bound.setdefault(name, []).append((rank, value))


class Names:
    """The names of one file.

    Args:
        tree: its syntax tree.
    """

    def __init__(self, tree: ast.Module) -> None:
        self.parents: dict[ast.AST, ast.AST] = {}
        self.stars: list[str] = []
        """Modules of which everything is imported; an empty text for one of the user's."""
        self._scopes: dict[ast.AST, _Scope] = {}
        self._top = _Scope(None)
        self._collect(tree)

    def loads(self) -> Iterator[ast.Name]:
        """Yield the names that are read, annotations left out."""
        for node in self._scopes:
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                yield node

    def chains(self) -> Iterator[tuple[ast.expr, str]]:
        """Yield the longest attribute chains whose meaning is known, with that meaning.

        The right side of an alias (``slim = tf.contrib.slim``) is none: what is made of the alias is.
        """
        for name in self.loads():
            full = self.meaning(name)
            if full is None:
                continue
            node: ast.expr = name
            while isinstance(parent := self.parents.get(node), ast.Attribute) and isinstance(parent.ctx, ast.Load):
                node, full = parent, f"{full}.{parent.attr}"
            if not self._is_alias(node):
                yield node, full

    def meaning(self, node: ast.AST) -> str | None:
        """Return the full dotted name of a name or attribute chain, or None when it is no import's."""
        return self._dotted(node, _MAX_STEPS)

    def is_bound(self, name: str) -> bool:
        """Whether the file binds a name anywhere."""
        return name in self._everywhere

    def inside(self, node: ast.AST) -> Iterator[ast.AST]:
        """Yield what a node stands in, the innermost first."""
        while (parent := self.parents.get(node)) is not None:
            yield parent
            node = parent

    def guarded(self, node: ast.AST) -> bool:
        """Whether a statement stands in the body of a ``try`` that has a handler."""
        child = node
        for parent in self.inside(node):
            if isinstance(parent, ast.Try) and parent.handlers and child in parent.body:
                return True
            child = parent
        return False

    def _dotted(self, node: ast.AST, steps: int) -> str | None:
        attributes: list[str] = []
        while isinstance(node, ast.Attribute):
            attributes.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name) or node not in self._scopes:
            return None
        base = self._looked_up(node.id, self._scopes[node], steps)
        return None if base is None else ".".join([base, *reversed(attributes)])

    def _looked_up(self, name: str, scope: _Scope | None, steps: int) -> str | None:
        first = scope
        while scope is not None:
            if name in scope.bound and name not in scope.outer and (not scope.is_class or scope is first):
                return self._value(scope.bound[name], steps)
            scope = scope.parent
        return None

    def _value(self, bindings: list[tuple[int, str | ast.expr | None]], steps: int) -> str | None:
        imported = [(rank, value) for rank, value in bindings if isinstance(value, str)]
        if imported:
            return max(imported)[1]
        if len(bindings) == 1 and isinstance(bindings[0][1], ast.expr) and steps:
            return self._dotted(bindings[0][1], steps - 1)
        return None

    def _is_alias(self, node: ast.expr) -> bool:
        """Whether a chain is the one value of a name that can be followed."""
        parent = self.parents.get(node)
        if not isinstance(parent, ast.Assign) or parent.value is not node:
            return False
        target, scope = parent.targets[0], self._scopes[parent]
        return isinstance(target, ast.Name) and not scope.is_class and len(scope.bound.get(target.id, ())) == 1

    def _collect(self, tree: ast.Module) -> None:
        pending: list[tuple[ast.AST, _Scope]] = [(tree, self._top)]
        scopes = [self._top]
        while pending:
            node, scope = pending.pop()
            self._scopes[node] = scope
            self._bind(node, scope)
            inner = scope
            if isinstance(node, (*_FUNCTIONS, *_COMPREHENSIONS, ast.ClassDef)):
                inner = _Scope(scope, is_class=isinstance(node, ast.ClassDef))
                scopes.append(inner)
            for name, value in ast.iter_fields(node):
                if name in ("annotation", "returns"):
                    continue
                of = scope if name in ("decorator_list", "bases", "keywords") else inner
                for child in value if isinstance(value, list) else [value]:
                    if isinstance(child, ast.arguments):
                        self._arguments(child, node, scope, inner, pending)
                    elif isinstance(child, ast.AST):
                        self.parents[child] = node
                        pending.append((child, of))
        for one in scopes:
            for name in one.outer & one.bound.keys():
                self._top.bound.setdefault(name, []).extend(one.bound[name])
        self._everywhere = {name for one in scopes for name in one.bound}

    def _arguments(
        self,
        arguments: ast.arguments,
        function: ast.AST,
        scope: _Scope,
        inner: _Scope,
        pending: list[tuple[ast.AST, _Scope]],
    ) -> None:
        """Bind the arguments of a function inside it; their defaults are read outside."""
        self.parents[arguments] = function
        given = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
        for one in given:
            if one is not None:
                inner.bind(one.arg, one.lineno, None)
        for default in (*arguments.defaults, *arguments.kw_defaults):
            if default is not None:
                self.parents[default] = arguments
                pending.append((default, scope))

    def _bind(self, node: ast.AST, scope: _Scope) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                scope.bind(alias.asname or top, self._rank(node), alias.name if alias.asname else top)
        elif isinstance(node, ast.ImportFrom):
            self._bind_from(node, scope)
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            parent = self.parents.get(node)
            alone = isinstance(parent, ast.Assign) and node in parent.targets
            value = parent.value if isinstance(parent, ast.Assign) and alone else None
            scope.bind(node.id, node.lineno, value if isinstance(value, (ast.Name, ast.Attribute)) else None)
        elif isinstance(node, _NAMED) and node.name:
            scope.bind(node.name, node.lineno, None)
        elif isinstance(node, ast.MatchMapping) and node.rest:
            scope.bind(node.rest, node.lineno, None)
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            scope.outer.update(node.names)

    def _rank(self, node: ast.stmt) -> int:
        """Return which of several imports of a name counts: the last one, before those that stand in for it."""
        in_place = any(isinstance(parent, ast.ExceptHandler) for parent in self.inside(node))
        return -node.lineno if in_place else node.lineno

    def _bind_from(self, node: ast.ImportFrom, scope: _Scope) -> None:
        for alias in node.names:
            known = node.module if node.module and not node.level else None
            if alias.name == "*":
                self.stars.append(known or "")
            else:
                scope.bind(alias.asname or alias.name, self._rank(node), f"{known}.{alias.name}" if known else None)
