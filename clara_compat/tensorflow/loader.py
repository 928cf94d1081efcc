"""Import the user's own modules, and make their components.

Only folders named by :func:`use` are searched. The user's modules live in a registry of their own, so a file called
``utils.py`` neither hides nor is hidden by an installed package, and the modules of two MMARs do not mix. Inside these
modules ``tensorflow`` and ``keras`` are the facade (:mod:`clara_compat.tensorflow.namespace`), a few places of their
source are rewritten (:mod:`clara_compat.tensorflow.rewrite`), and numpy still has the names that 1.24 and 2.0 removed
(``np.float``, ``np.NaN``). No ``.pyc`` is read or written.
"""

from __future__ import annotations

import ast
import builtins
import importlib.machinery
import importlib.util
import itertools
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from clara_compat.common.blame import USER_MODULES, told, user_line
from clara_compat.common.user_code_switch import check_allowed
from clara_compat.errors import Address, ClaraError, suggestion
from clara_compat.tensorflow.keras_settings import forget_settings
from clara_compat.tensorflow.names import constructing
from clara_compat.tensorflow.namespace import facade_module, is_provided
from clara_compat.tensorflow.numpy_aliases import numpy_with_aliases
from clara_compat.tensorflow.rewrite import HELPERS, rewritten

__all__ = ["UserCode", "component", "use"]


_numbers = itertools.count(1)
_OURS = frozenset({"ai4med", "clara_compat", "dlmed", "nvmidl"})
"""Never loaded as user code, wherever a copy of them lies: there is one ``MedicalImage`` in a process."""


class UserCode:
    """The user's modules below some folders.

    Args:
        roots: folders, searched in this order. Folders of installed packages (they stand on some people's PYTHONPATH)
            are left to Python: a package must not be loaded twice.
    """

    def __init__(self, roots: Sequence[str]) -> None:
        self.roots = [str(Path(root).resolve()) for root in roots if not any(Path(root).glob("*.dist-info"))]
        self.modules: dict[str, ModuleType] = {}
        self._prefix = f"{USER_MODULES}{next(_numbers)}."
        self._builtins = {**vars(builtins), **HELPERS, "__import__": self._import}
        self._lock = threading.RLock()
        self._forgotten = False

    def forget(self) -> None:
        """Leave the modules to whoever still uses them: they are freed with their last component."""
        self._forgotten = True
        for module in self.modules.values():
            sys.modules.pop(module.__name__, None)

    def load(self, name: str) -> ModuleType:
        """Return the user's module ``name`` (dotted), importing it and its packages when needed.

        Raises:
            ClaraError: there is no such module below the roots.
        """
        module = self.find(name)
        if module is None:
            raise ClaraError(f"no module '{name}' below {', '.join(self.roots) or 'any folder of the MMAR'}")
        return module

    def find(self, name: str) -> ModuleType | None:
        """Return the user's module ``name``, or None when no file of that name is below the roots."""
        if name.partition(".")[0] in _OURS:
            return None
        with self._lock:
            if name in self.modules:
                return self.modules[name]
            parent, _, last = name.rpartition(".")
            search: Sequence[str] = self.roots
            if parent:
                package = self.find(parent)
                if package is None:
                    return None
                search = list(getattr(package, "__path__", ()))
            spec = importlib.machinery.PathFinder.find_spec(last, list(search))
            if spec is None or (spec.origin is None and not spec.submodule_search_locations):
                return None
            if spec.origin is None and not parent and importlib.util.find_spec(last) is not None:
                return None  # a mere folder does not stand in front of a real package of its name
            return self._execute(name, parent, spec)

    def _execute(self, name: str, parent: str, found: importlib.machinery.ModuleSpec) -> ModuleType:
        check_allowed(f"the user's module '{name}' ({found.origin})")
        is_package = found.submodule_search_locations is not None
        if found.origin is not None and not found.origin.endswith(".py"):
            raise ClaraError(f"the user's module '{name}' is not Python source", Address(found.origin))
        spec = importlib.machinery.ModuleSpec(f"{self._prefix}{name}", None, origin=found.origin, is_package=is_package)
        if is_package:
            spec.submodule_search_locations = list(found.submodule_search_locations or ())
        module = importlib.util.module_from_spec(spec)
        module.__dict__.update(
            __builtins__=self._builtins,
            __clara_user_module__=True,
            __file__=found.origin,
            __package__=name if is_package else parent,
        )
        self.modules[name] = sys.modules[spec.name] = module  # dataclasses and pickle look a class's module up there
        if found.origin is not None:
            try:
                exec(_compiled(found.origin), module.__dict__)  # noqa: S102 -- running the user's code is the purpose
            except BaseException:
                del self.modules[name], sys.modules[spec.name]
                raise
        if self._forgotten:
            del sys.modules[spec.name]
        if parent:
            setattr(self.modules[parent], name.rpartition(".")[2], module)
        return module

    def _import(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,
        locals: Mapping[str, Any] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        """Answer an import statement of a user's module; everything that is not special goes to Python's own."""
        full = _absolute(name, globals or {}, level)
        top = full.partition(".")[0]
        if is_provided(full):
            return facade_module(full if fromlist else top)
        if top == "numpy" and level == 0:
            module = builtins.__import__(name, globals, locals, fromlist or (), 0)
            return numpy_with_aliases() if module is sys.modules["numpy"] else module
        found = self.find(full)
        if found is None:
            if level > 0:
                raise ImportError(f"no module '{full}' beside the user's module", name=full)
            return builtins.__import__(name, globals, locals, fromlist or (), 0)
        for part in fromlist or ():
            if not hasattr(found, part):
                self.find(f"{full}.{part}")
        return found if fromlist else self.load(top)


_current = UserCode([])


def use(roots: Sequence[str]) -> UserCode:
    """Make ``roots`` the folders of the user's components, forgetting those of an earlier run."""
    global _current  # noqa: PLW0603 -- one run at a time; the bundle config calls this first
    _current.forget()
    _current = UserCode(roots)
    forget_settings()
    return _current


def component(path: str, args: Mapping[str, Any] | None = None) -> Any:
    """Import the class ``path`` (``module.Class``) of the user's code and make it with keyword arguments ``args``.

    Raises:
        ClaraError: user code is switched off, or the module or class is missing, fails to import, or refuses its
            arguments.
    """
    check_allowed(f"the user's class '{path}'")
    module_name, _, class_name = path.rpartition(".")
    try:
        module = _current.load(module_name)
    except ClaraError:
        raise
    except (Exception, SystemExit) as error:  # a file that is a program ends so
        raise ClaraError(f"importing the user's module '{module_name}' failed: {_told(error)}") from error
    cls = getattr(module, class_name, None)
    if not isinstance(cls, type):
        classes = [name for name, value in vars(module).items() if isinstance(value, type)]
        raise ClaraError(f"no class '{class_name}'{suggestion(class_name, classes)}", Address(str(module.__file__)))
    try:
        with constructing() as done:
            return done(cls(**(args or {})))
    except ClaraError:
        raise
    except (Exception, SystemExit) as error:
        raise ClaraError(f"making {class_name} with {dict(args or {})} failed: {_told(error)}") from error


def _compiled(file: str) -> CodeType:
    tree = ast.parse(Path(file).read_bytes(), file)
    return compile(rewritten(tree), file, "exec", dont_inherit=True)


def _absolute(name: str, globals: Mapping[str, Any], level: int) -> str:
    if level == 0:
        return name
    return importlib.util.resolve_name("." * level + name, globals.get("__package__") or "")


def _told(error: BaseException) -> str:
    """Return ``Type: message`` with the user's file and line."""
    place = user_line(error)
    if isinstance(error, SyntaxError) and error.filename:
        place = f"{error.filename}:{error.lineno}"
    advice = ": install it, or put it beside the module" if isinstance(error, ModuleNotFoundError) else ""
    return f"{place + ': ' if place else ''}{told(error)}{advice}"
