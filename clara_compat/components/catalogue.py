"""Which components there are, found by looking."""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil

from clara_compat.components.component import Component, Fidelity

__all__ = ["FAMILIES", "components", "family", "legacy_path"]

FAMILIES = (
    "transforms",
    "losses",
    "models",
    "metrics",
    "optimizers",
    "lr_policies",
    "pipelines",
    "inferers",
    "handlers",
    "aux_ops",
    "model_loaders",
    "writers",
)
"""The packages of the catalogue."""

_ROOT = __name__.rpartition(".")[0]
_LEGACY_PACKAGES = {"pipelines": "data", "writers": "eval_writers"}


def components() -> dict[str, type[Component]]:
    """Return every component by its class name, sorted.

    A component is a public class that a module of a family package defines, derived from :class:`Component`, with its
    ``fidelity`` and ``becomes`` set. The modules are imported once, at the first call.

    Raises:
        RuntimeError: two components have the same name.
    """
    return dict(_index())


def family(cls: type) -> str:
    """Return the family of a component or base class, also of a user's class derived from one.

    Raises:
        ValueError: the class has nothing to do with the catalogue.
    """
    for base in cls.__mro__:
        place = _place(base)
        if place:
            return place[0]
    raise ValueError(f"{cls.__qualname__} does not derive from a class of {_ROOT}")


def legacy_path(cls: type) -> str:
    """Return the path by which Clara's users import a component: ``ai4med.components.<family>.<module>.<Class>``.

    Raises:
        ValueError: the class is not defined in the catalogue.
    """
    place = _place(cls)
    if not place:
        raise ValueError(f"{cls.__qualname__} is not defined in {_ROOT}")
    package, module = place
    return f"ai4med.components.{_LEGACY_PACKAGES.get(package, package)}.{module}.{cls.__name__}"


def _place(cls: type) -> tuple[str, str] | None:
    """Return family and module of a class that a family package defines."""
    package, _, module = cls.__module__.removeprefix(f"{_ROOT}.").partition(".")
    return (package, module) if cls.__module__.startswith(f"{_ROOT}.") and package in FAMILIES and module else None


@functools.cache
def _index() -> dict[str, type[Component]]:
    found: dict[str, type[Component]] = {}
    for package in FAMILIES:
        folders = importlib.import_module(f"{_ROOT}.{package}").__path__
        for info in pkgutil.iter_modules(folders, f"{_ROOT}.{package}."):
            for cls in _components_of(info.name):
                if cls.__name__ in found:
                    other = found[cls.__name__].__module__
                    raise RuntimeError(f"two components are named {cls.__name__}: in {other} and in {cls.__module__}")
                found[cls.__name__] = cls
    return dict(sorted(found.items()))


def _components_of(module: str) -> list[type[Component]]:
    return [
        cls
        for name, cls in vars(importlib.import_module(module)).items()
        if inspect.isclass(cls)
        and cls.__module__ == module
        and name == cls.__name__
        and not name.startswith("_")
        and issubclass(cls, Component)
        and isinstance(getattr(cls, "fidelity", None), Fidelity)
        and isinstance(getattr(cls, "becomes", None), str)
    ]
