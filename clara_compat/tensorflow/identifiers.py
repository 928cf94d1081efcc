"""How Keras finds an initializer, a regularizer or a constraint: by its name, its config, its class, or itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from clara_compat.errors import suggestion
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import register

__all__ = ["Configured", "provide_lookups"]


class Configured:
    """Something that a config can make again: its attributes are the arguments of its constructor."""

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""
        return dict(vars(self))

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """Make one from its arguments."""
        return cls(**config)


def provide_lookups(module: str, what: str, objects: Mapping[str, Callable[..., Any]]) -> Callable[[Any], Any]:
    """Register ``get``, ``deserialize`` and ``serialize`` of a Keras module, and return ``get``.

    Args:
        module: ``keras.initializers``.
        what: what one of its objects is called in messages: ``initializer``.
        objects: classes or functions that make one, by every name that Keras takes.
    """

    def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
        """Return the object of a name, or of ``{"class_name": ..., "config": {...}}``."""
        name, arguments = (config, {}) if isinstance(config, str) else (config.get("class_name"), config.get("config"))
        known = {**objects, **(custom_objects or {})}
        if name not in known:
            raise refusal(f"'{name}' is no {what} of Keras{suggestion(str(name), known)}")
        return known[name](**(arguments or {}))

    def get(identifier: Any) -> Any:
        """Return the object that a name, a config, a class or the object itself stands for; None stands for none."""
        if identifier is None:
            return None
        if isinstance(identifier, str | Mapping):
            return deserialize(identifier)
        if isinstance(identifier, type):
            return identifier()
        if callable(identifier):
            return identifier
        raise refusal(f"{identifier!r} is no {what}: expected a name, a class or a function")

    def serialize(value: Any) -> Any:
        """Return the config of an object, or the name of a function."""
        if value is None:
            return None
        if hasattr(value, "get_config"):
            return {"class_name": type(value).__name__, "config": value.get_config()}
        return value.__name__

    register(get, f"{module}.get")
    register(deserialize, f"{module}.deserialize")
    register(serialize, f"{module}.serialize")
    return get
