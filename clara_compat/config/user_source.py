"""One Python file of the user's, parsed and never run."""

from __future__ import annotations

import ast
import warnings
from collections import deque
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from clara_compat.errors import Address, ClaraError

__all__ = ["Source", "UserArgument", "read_source"]

_MAX_BYTES = 10_000_000
_MAX_STEPS = 8  # of inheritance or re-export; more is a circle
_WHOLE = ("torch.", "monai.")
"""Libraries that have classes of the same names as Clara's, such as ``DenseNet121``."""


@dataclass(frozen=True)
class UserArgument:
    """One argument of a user's ``__init__``.

    Args:
        name: its name.
        required: whether it has no default.
        default: its default when that is a literal, else None.
    """

    name: str
    required: bool
    default: Any = None


@dataclass(frozen=True)
class Source:
    """A parsed file.

    Args:
        file: the file.
        tree: its syntax tree.
    """

    file: Path
    tree: ast.Module

    @cached_property
    def _imports(self) -> dict[str, tuple[ast.ImportFrom, str]]:
        """Names that ``from ... import`` binds, with their original names."""
        return {
            alias.asname or alias.name: (statement, alias.name)
            for statement in self._statements
            if isinstance(statement, ast.ImportFrom)
            for alias in statement.names
            if alias.name != "*"
        }

    @cached_property
    def _bound(self) -> dict[str, str]:
        """What the names stand for that import statements bind: ``nn`` for ``torch.nn``."""
        found = {name: f"{statement.module}.{original}" for name, (statement, original) in self._imports.items()}
        for statement in self._statements:
            if isinstance(statement, ast.Import):
                found |= {alias.asname: alias.name for alias in statement.names if alias.asname}
        return found

    def classes(self) -> list[ast.ClassDef]:
        """Classes defined at the top of the file (also within ``if`` and ``try``), in order."""
        return [statement for statement in self._statements if isinstance(statement, ast.ClassDef)]

    @cached_property
    def _defined(self) -> dict[str, ast.ClassDef]:
        return {definition.name: definition for definition in self.classes()}

    def imported_modules(self) -> frozenset[str]:
        """Top-level modules this file imports anywhere."""
        names: set[str] = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                names.update(alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.partition(".")[0])
        return frozenset(names)

    def literals(self, definition: ast.ClassDef) -> dict[str, Any]:
        """Keyword arguments that the class's ``__init__`` hands to other calls as literals."""
        init = next((i for i in definition.body if isinstance(i, ast.FunctionDef) and i.name == "__init__"), None)
        calls = [node for node in ast.walk(init) if isinstance(node, ast.Call)] if init else []
        keywords = [keyword for call in calls for keyword in call.keywords]
        return {k.arg: k.value.value for k in keywords if k.arg and isinstance(k.value, ast.Constant)}

    def find(self, name: str, root: Path, steps: int = _MAX_STEPS) -> tuple[Source, ast.ClassDef] | None:
        """Find a class of this file, or one it imports from another file of the user's below ``root``."""
        if name in self._defined:
            return self, self._defined[name]
        if not steps:
            return None
        if name in self._imports:
            imported, original = self._imports[name]
            other = self._follow(imported, root)
            return other.find(original, root, steps - 1) if other else None
        for statement in self._statements:
            if isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*":
                other = self._follow(statement, root)
                found = None if other is None else other.find(name, root, steps - 1)
                if found:
                    return found
        return None

    def bases(self, definition: ast.ClassDef) -> tuple[str, ...]:
        """Names of the direct bases as their own module calls them; those of torch and MONAI with their module."""
        names = []
        for base in definition.bases:
            written = ast.unparse(base)
            first, dot, rest = written.partition(".")
            whole = f"{self._bound.get(first, first)}{dot}{rest}"
            if not isinstance(base, (ast.Name, ast.Attribute)):
                names.append(written[:60])
            else:
                names.append(whole if whole.startswith(_WHOLE) else whole.rpartition(".")[2])
        return tuple(names)

    def lineage(
        self, definition: ast.ClassDef, root: Path
    ) -> tuple[tuple[str, ...], tuple[str, ...], frozenset[str], bool]:
        """Direct bases, all ancestors that can be followed, all methods, and whether all ancestors were visible."""
        ancestors: dict[str, None] = {}
        methods: set[str] = set()
        visible = True
        pending, seen = [(self, definition)], {(self.file, definition.name)}
        while pending:
            source, current = pending.pop(0)
            methods.update(item.name for item in current.body if isinstance(item, ast.FunctionDef))
            for written, name in zip(current.bases, source.bases(current), strict=True):
                ancestors.setdefault(name)
                found = source.find(written.id, root) if isinstance(written, ast.Name) else None
                if found is None:
                    visible = visible and name == "object"
                elif (found[0].file, found[1].name) not in seen:
                    seen.add((found[0].file, found[1].name))
                    pending.append(found)
        return self.bases(definition), tuple(ancestors), frozenset(methods), visible

    def signature(
        self, definition: ast.ClassDef, root: Path, steps: int = _MAX_STEPS
    ) -> tuple[tuple[UserArgument, ...] | None, int]:
        """Arguments of the class's ``__init__`` (its own, or that of the first visible base) and its line.

        None stands for arguments that cannot be known: ``*args``, ``**kwargs``, a decorator, a base elsewhere.
        """
        if definition.decorator_list or definition.keywords or not steps:
            return None, definition.lineno
        own = [item for item in definition.body if isinstance(item, ast.FunctionDef) and item.name == "__init__"]
        if own:
            return _arguments(own[-1]), own[-1].lineno
        bases = [base for base in definition.bases if not (isinstance(base, ast.Name) and base.id == "object")]
        if not bases:
            return (), definition.lineno
        found = self.find(bases[0].id, root) if isinstance(bases[0], ast.Name) else None
        if found is None or len(bases) > 1 or found[1] is definition:
            return None, definition.lineno
        signature, line = found[0].signature(found[1], root, steps - 1)
        return signature, line if found[0].file == self.file else definition.lineno

    def outside_base(self, definition: ast.ClassDef, root: Path, steps: int = _MAX_STEPS) -> str | None:
        """Name of the base elsewhere whose ``__init__`` the class takes over as it is, or None."""
        own = any(isinstance(item, ast.FunctionDef) and item.name == "__init__" for item in definition.body)
        if own or definition.decorator_list or definition.keywords or len(definition.bases) != 1 or not steps:
            return None
        base = definition.bases[0]
        found = self.find(base.id, root) if isinstance(base, ast.Name) else None
        if found is None or found[1] is definition:
            return self.bases(definition)[0]
        return found[0].outside_base(found[1], root, steps - 1)

    def answer(self, definition: ast.ClassDef, method: str, root: Path, steps: int = _MAX_STEPS) -> Any:
        """The literal that a method of the class (or of a visible base) always returns, or None."""
        own = [item for item in definition.body if isinstance(item, ast.FunctionDef) and item.name == method]
        if own:
            returns = [node for node in ast.walk(own[-1]) if isinstance(node, ast.Return)]
            return _literal(returns[0].value) if len(returns) == 1 else None
        for base in definition.bases if steps else ():
            found = self.find(base.id, root) if isinstance(base, ast.Name) else None
            if found is not None and found[1] is not definition:
                return found[0].answer(found[1], method, root, steps - 1)
        return None

    @cached_property
    def _statements(self) -> list[ast.stmt]:
        """Statements that run when the module is loaded, except inside functions and classes."""
        found: list[ast.stmt] = []
        pending: deque[ast.AST] = deque([self.tree])
        while pending:
            for child in ast.iter_child_nodes(pending.popleft()):
                if isinstance(child, ast.stmt):
                    found.append(child)
                if isinstance(child, (ast.If, ast.Try, ast.With, ast.ExceptHandler)):
                    pending.append(child)
        return found

    def _follow(self, statement: ast.ImportFrom, root: Path) -> Source | None:
        """The file a ``from ... import`` names, when it is the user's."""
        parts = (statement.module or "").split(".") if statement.module else []
        if statement.level:
            folder = self.file.parent
            for _ in range(statement.level - 1):
                folder = folder.parent
            if not folder.is_relative_to(root):
                return None
            starts = [folder]
        else:
            starts = [root, self.file.parent]
        for start in starts:
            place = start.joinpath(*parts)
            candidates = [place / "__init__.py"]
            if parts:
                candidates.append(place.parent / f"{place.name}.py")
            for file in candidates:
                if file.is_file() and file != self.file:
                    return read_source(file)
        return None


def read_source(file: Path) -> Source:
    """Parse a file of the user's.

    Raises:
        ClaraError: when it cannot be read or is not valid Python (with its line).
    """
    try:
        with file.open("rb") as stream:
            content = stream.read(_MAX_BYTES + 1)
        if len(content) > _MAX_BYTES:
            raise ClaraError("is too large for a Python file", Address(str(file)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Source(file, ast.parse(content, str(file)))
    except SyntaxError as error:
        raise ClaraError(f"is not valid Python 3: {error.msg}", Address(str(file), error.lineno)) from error
    except (OSError, ValueError, RecursionError, MemoryError) as error:
        raise ClaraError(f"cannot be read as Python: {error}", Address(str(file))) from error


def _arguments(init: ast.FunctionDef) -> tuple[UserArgument, ...] | None:
    given = init.args
    if given.kwarg or given.vararg or init.decorator_list:
        return None
    positional = [*given.posonlyargs, *given.args]
    defaults: list[ast.expr | None] = [None] * (len(positional) - len(given.defaults))
    defaults += given.defaults
    pairs = [*zip(positional, defaults, strict=True)][1:]
    pairs += zip(given.kwonlyargs, given.kw_defaults, strict=True)
    return tuple(UserArgument(argument.arg, default is None, _literal(default)) for argument, default in pairs)


def _literal(default: ast.expr | None) -> Any:
    if default is None:
        return None
    try:
        return ast.literal_eval(default)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
