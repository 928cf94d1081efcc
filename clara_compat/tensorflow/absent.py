"""Stand-ins for what the facade does not provide.

Many components import a corner of TensorFlow without using it. For them the import succeeds, and the first real use
says what is missing and where.
"""

from __future__ import annotations

from typing import Any, NoReturn

from clara_compat.errors import suggestion
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import SYMBOLS

__all__ = ["Absent"]


class Absent:
    """A symbol that the facade lacks.

    Args:
        name: its full name.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Absent:
        if attribute.startswith("__") and attribute.endswith("__"):
            raise AttributeError(attribute)
        return Absent(f"{self._name}.{attribute}")

    def __call__(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse: this is the first real use."""
        raise refusal(f"this uses {_told(self._name)}")

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        return (type("Absent", (_AbsentBase,), {"absent": self._name}),)

    def __repr__(self) -> str:
        return self._name


class _AbsentBase:
    """What a class derived from an absent class becomes; it cannot be made."""

    absent: str

    def __new__(cls, *args: Any, **kwargs: Any) -> NoReturn:
        raise refusal(f"{cls.__name__} derives from {_told(cls.absent)}")


def _told(name: str) -> str:
    module, _, last = name.rpartition(".")
    inside = [one.rpartition(".")[2] for one in SYMBOLS if one.rpartition(".")[0] == module]
    elsewhere = next((one for one in sorted(SYMBOLS) if one.rpartition(".")[2] == last), "")
    near = f"; there is {elsewhere}" if elsewhere else suggestion(last, inside)
    return f"{name}, which is not provided by clara_compat's TensorFlow facade{near}; docs/TENSORFLOW.md lists what is"
