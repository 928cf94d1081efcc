"""Stand-ins for TensorFlow and Keras in user modules.

Many numpy-only components import TensorFlow without using it. For them the import succeeds, and the first real use says
what is missing and where.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any, NoReturn

from clara_compat.errors import ClaraError

__all__ = ["REPLACED", "absent_module"]

REPLACED = frozenset({"tensorflow", "keras"})
"""Top-level packages that user modules do not get."""


class _Absent:
    """A TensorFlow symbol nobody has used yet."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> _Absent:
        if attribute.startswith("__") and attribute.endswith("__"):
            raise AttributeError(attribute)
        return _Absent(f"{self._name}.{attribute}")

    def __call__(self, *args: Any, **kwargs: Any) -> NoReturn:
        frame = sys._getframe(1)  # noqa: SLF001 -- the user's own line, cheaply
        raise ClaraError(
            f"{frame.f_code.co_filename}:{frame.f_lineno} uses {self._name}: components written with TensorFlow do not "
            "run yet (numpy transforms, loaders and metrics do)"
        )

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        return (_AbsentBase,)

    def __repr__(self) -> str:
        return self._name


class _AbsentBase:
    """What a class derived from a TensorFlow or Keras class becomes; it cannot be made."""

    def __new__(cls, *args: Any, **kwargs: Any) -> NoReturn:
        raise ClaraError(f"{cls.__name__} derives from a TensorFlow class: such components do not run yet")


class _AbsentModule(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return _Absent(f"{self.__name__}.{name}")


def absent_module(name: str) -> ModuleType:
    """Return the stand-in for the module ``name``."""
    module = _AbsentModule(name)
    module.__path__ = []
    return module
