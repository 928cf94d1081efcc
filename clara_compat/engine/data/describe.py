"""A text that says what an object is, the same in every process."""

from __future__ import annotations

import copyreg
import hashlib
import random
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np
import torch

from clara_compat.common.blame import own_name

__all__ = ["Describer", "IndescribableError"]

_MOST = 1_000_000
"""Parts of an object; more would take as long as reading a scan."""
_PLAIN = (type(None), bool, int, float, complex, str, bytes, type(...), type(NotImplemented))
_TOLD = (torch.dtype, torch.device, torch.layout, torch.memory_format)
"""Whose ``repr`` says everything."""
_CONTAINERS = (list, tuple, set, frozenset, dict)
_RANDOM = (np.random.RandomState, np.random.Generator, np.random.BitGenerator, random.Random, torch.Generator)
_DEFAULT = (copyreg.__newobj__, copyreg.__newobj_ex__)  # type: ignore[attr-defined]
"""What makes an object whose class does not override ``__reduce__``."""
_ANONYMOUS = ("builtins", "numpy", "scipy.special", "torch")
"""Modules of functions in C that do not name theirs."""
_HEAP_TYPE = 1 << 9
"""Bit of a class's ``__flags__``: made at run time, so that its name may not be its own."""


class IndescribableError(TypeError):
    """An object that might be like another one, or not: nobody can say."""


class Describer:
    """Describes objects by their classes and all they hold, never by where they are in memory.

    Two objects with one description do the same, as far as the code is the same: classes and functions go by their
    names, and :attr:`modules` says whose code that is. A lambda, and any other function that cannot be found under its
    name, goes by its byte code, its constants, and the values of the names in it. Attributes may have been set in any
    order, and sets have none; lists and dictionaries do. The state of random generators is left out.

    Whatever is neither plain data nor an array is asked what ``pickle`` would ask: an object with state outside Python
    (a lock, an open file, a reader of another library) refuses to answer.
    """

    def __init__(self) -> None:
        self.modules: set[str] = set()
        """Where the classes and functions come from that were described."""
        self._above: list[int] = []
        self._path: list[str] = []
        self._left = _MOST
        self._kinds: tuple[tuple[Any, Callable[[Any], str]], ...] = (
            (_RANDOM, lambda value: self._class(type(value))),
            (_TOLD, lambda value: f"{type(value).__name__} {value!r}"),
            (np.dtype, lambda value: f"dtype {self._all(value.__reduce__()[1:])}"),
            ((np.ndarray, torch.Tensor), self._array),
            (ModuleType, self._module),
            (type, self._class),
            (FunctionType, self._function),
            (CodeType, self._code),
        )

    def describe(self, value: Any) -> str:
        """Return the description of an object.

        Args:
            value: the object.

        Raises:
            IndescribableError: something in it cannot be described; the message says where and what.
        """
        self._left -= 1
        if self._left < 0:
            raise self._refusal(value, f"has more than {_MOST} parts")
        if id(value) in self._above:
            return f"above {len(self._above) - self._above.index(id(value))}"
        self._above.append(id(value))
        try:
            return self._described(value)
        except IndescribableError:
            raise
        except Exception as error:  # a user's __reduce__ or attribute may raise anything
            raise self._refusal(value, f"cannot be described ({type(error).__name__}: {error})") from error
        finally:
            self._above.pop()

    def _described(self, value: Any) -> str:
        if type(value) in _PLAIN:
            return f"{type(value).__name__} {value!r}"
        if type(value) in _CONTAINERS:
            return self._container(value)
        for kinds, described in self._kinds:
            if isinstance(value, kinds):
                return described(value)
        return self._object(value)

    def _container(self, value: Any) -> str:
        name = type(value).__name__
        if isinstance(value, dict):
            return name + self._pairs(value.items())
        if isinstance(value, (set, frozenset)):
            return f"{name}[{', '.join(sorted(map(self.describe, value)))}]"
        return name + self._all(value)

    def _all(self, values: Iterable[Any]) -> str:
        return f"[{', '.join(map(self.describe, values))}]"

    def _pairs(self, pairs: Iterable[tuple[Any, Any]]) -> str:
        return "{" + ", ".join(f"{self.describe(name)}: {self._part(str(name), value)}" for name, value in pairs) + "}"

    def _part(self, name: str, value: Any) -> str:
        with self._at(name):
            return self.describe(value)

    def _attributes(self, values: Mapping[str, Any]) -> str:
        return self._pairs(sorted(values.items()))

    def _array(self, value: np.ndarray[Any, Any] | torch.Tensor) -> str:
        more = self._attributes(getattr(value, "__dict__", {}))
        told = f"{self._class(type(value))} {self.describe(value.dtype)} {tuple(value.shape)} {more}"
        if isinstance(value, torch.Tensor):
            plain = value.detach().as_subclass(torch.Tensor).cpu().contiguous().reshape(-1)
            return f"{told} {_digest(plain.view(torch.uint8).numpy())}"
        if value.dtype.hasobject:
            return f"{told} {self._all(np.asarray(value).ravel().tolist())}"
        return f"{told} {_digest(np.ascontiguousarray(value).reshape(-1).view(np.uint8))}"

    def _module(self, module: ModuleType) -> str:
        self.modules.add(module.__name__)
        return f"module {own_name(module.__name__)}"

    def _class(self, cls: type) -> str:
        if cls.__flags__ & _HEAP_TYPE and _found(cls.__module__, cls.__qualname__) is not cls:
            raise self._refusal(
                cls, f"is a class that cannot be found as {own_name(cls.__module__)}.{cls.__qualname__}"
            )
        self.modules.update(one.__module__ for one in cls.__mro__)
        return f"class {own_name(cls.__module__)}.{cls.__qualname__}"

    def _function(self, function: FunctionType) -> str:
        module: str | None = function.__module__
        if module is not None and _found(module, function.__qualname__) is function:
            self.modules.add(module)
            return f"function {own_name(module)}.{function.__qualname__}"
        if module is not None and module in sys.modules:
            self.modules.add(module)
        known = function.__globals__
        cells = [cell.cell_contents for cell in function.__closure__ or ()]
        with self._at(function.__name__):
            used = self._attributes({name: known[name] for name in _names(function.__code__) if name in known})
            given = [function.__defaults__, function.__kwdefaults__, cells]
            return f"code {self.describe(function.__code__)} {self._all(given)} {used}"

    def _code(self, code: CodeType) -> str:
        signature = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags, code.co_code)
        names = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
        return self._all((signature, names, code.co_consts))

    def _object(self, value: Any) -> str:
        """Describe what ``pickle`` would store of an object; where its class has no say in that, by its attributes."""
        kind = type(value)
        reduce = copyreg.dispatch_table.get(kind)
        made = value.__reduce_ex__(2) if reduce is None else reduce(value)
        if isinstance(made, str):
            return self._global(value, made)
        maker, arguments, state, items, pairs = (*made, None, None, None)[:5]
        attributes: dict[str, Any] = {}
        if maker in _DEFAULT and _has_own_state(kind):
            attributes = getattr(value, "__dict__", {})
        elif maker in _DEFAULT:
            in_dict, in_slots = state if isinstance(state, tuple) else (state, None)
            attributes, state = {**(in_dict or {}), **(in_slots or {})}, None
        what = [self._class(kind), self.describe(maker), self._all(arguments), self.describe(state)]
        return " ".join([*what, self._attributes(attributes), self._all(items or ()), self._pairs(pairs or ())])

    def _global(self, value: Any, name: str) -> str:
        modules = filter(None, (getattr(value, "__module__", None), *_ANONYMOUS))
        module = next((one for one in modules if _found(one, name) is value), None)
        if module is None:
            raise self._refusal(value, f"({name}) is in no module that it names")
        self.modules.add(module)
        return f"global {own_name(module)}.{name}"

    def _refusal(self, value: Any, why: str) -> IndescribableError:
        return IndescribableError(f"{'.'.join(self._path) or type(value).__name__} {why}")

    @contextmanager
    def _at(self, name: str) -> Iterator[None]:
        self._path.append(name)
        try:
            yield
        finally:
            self._path.pop()


def _found(module: str, name: str) -> Any:
    """Return what a module that is loaded has under a dotted name; None when it has nothing."""
    value: Any = sys.modules.get(module)
    for part in name.split("."):
        value = getattr(value, part, None)
    return value


def _has_own_state(kind: type) -> bool:
    return getattr(kind, "__getstate__", None) is not getattr(object, "__getstate__", None)


def _names(code: CodeType) -> set[str]:
    """Return the names of globals (and attributes) in a function's code and in that of the functions within."""
    inner = (_names(one) for one in code.co_consts if isinstance(one, CodeType))
    return set(code.co_names).union(*inner)


def _digest(values: np.ndarray[Any, Any]) -> str:
    return hashlib.blake2b(values.data, digest_size=16).hexdigest()
