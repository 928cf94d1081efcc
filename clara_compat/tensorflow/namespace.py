"""The modules user code gets for ``tensorflow``, ``keras`` and what lies below them, made from the table of symbols."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from types import ModuleType
from typing import Any

import clara_compat.tensorflow
from clara_compat.tensorflow.absent import Absent
from clara_compat.tensorflow.operation_names import naming
from clara_compat.tensorflow.registry import SYMBOLS

__all__ = ["all_symbols", "canonical", "facade_module", "is_provided", "same_modules"]

_TOP = frozenset({"tensorflow", "keras", "tf_slim"})
"""Top-level packages that user modules get from here."""

_SAME = {
    "keras": "tensorflow.keras",
    "tf_slim": "tensorflow.contrib.slim",
    "tensorflow.compat.v1": "tensorflow",
    "tensorflow.compat.v2": "tensorflow",
    "tensorflow.python.keras": "tensorflow.keras",
    "tensorflow.contrib.keras": "tensorflow.keras",
    "tensorflow.contrib.layers.python.layers": "tensorflow.contrib.layers",
    **{
        f"tensorflow.contrib.layers.python.layers.{name}": "tensorflow.contrib.layers"
        for name in ("layers", "initializers", "normalization", "regularizers", "summaries")
    },
    "tensorflow.contrib.framework.python.ops.arg_scope": "tensorflow.contrib.framework",
    "tensorflow.contrib.framework.python.ops.variables": "tensorflow.contrib.framework",
    "tensorflow.contrib.framework.python.ops": "tensorflow.contrib.framework",
    "tensorflow.contrib.slim.python.slim": "tensorflow.contrib.slim",
    "tensorflow.python.layers": "tensorflow.layers",
    **{
        f"tensorflow.python.layers.{name}": "tensorflow.layers"
        for name in ("base", "convolutional", "core", "layers", "normalization", "pooling")
    },
    "tensorflow.losses.losses_impl": "tensorflow.losses",
    "tensorflow.losses.util": "tensorflow.losses",
    "tensorflow.python.ops": "tensorflow",
    "tensorflow.python.framework": "tensorflow",
    "tensorflow.python": "tensorflow",
    **{
        f"tensorflow.keras.layers.{name}": "tensorflow.keras.layers"
        for name in (
            *("advanced_activations", "convolutional", "core", "merge", "merging", "noise", "normalization"),
            *("pooling", "reshaping", "regularization", "wrappers", "base"),
        )
    },
    "tensorflow.keras.backend.tensorflow_backend": "tensorflow.keras.backend",
    "tensorflow.keras.backend.common": "tensorflow.keras.backend",
    "tensorflow.keras.engine.topology": "tensorflow.keras.layers",
    "tensorflow.keras.engine.base_layer": "tensorflow.keras.layers",
    "tensorflow.keras.engine.input_spec": "tensorflow.keras.layers",
    "tensorflow.keras.engine": "tensorflow.keras.layers",
    "tensorflow.keras.legacy": "tensorflow.keras",
}
"""Modules that are another one under an older or inner name."""

_FLAT = ("ops", "framework")
"""Below these of ``tensorflow.python`` every module (``array_ops``) holds names of ``tensorflow`` itself, but for:"""

_DEEPER = {
    **dict.fromkeys(("nn", "nn_impl", "nn_ops", "gen_nn_ops"), ("nn",)),
    **dict.fromkeys(("image_ops", "image_ops_impl", "gen_image_ops"), ("image",)),
    "losses": ("losses",),
    "metrics_impl": ("metrics",),
}


def same_modules() -> dict[str, str]:
    """Return the modules that are another one, with its name."""
    return {name: canonical(name) for name in _SAME}


def is_provided(name: str) -> bool:
    """Whether a module of this name is the facade's, known in it or not."""
    return name.partition(".")[0] in _TOP


def canonical(name: str) -> str:
    """Return the one name of a module or symbol: ``keras.layers.core.Dense`` is ``tensorflow.keras.layers.Dense``."""
    parts = name.split(".")
    if parts[:2] == ["tensorflow", "python"] and len(parts) > 3 and parts[2] in _FLAT:
        parts[1:4] = _DEEPER.get(parts[3], ())
        name = ".".join(parts)
    for length in range(len(parts), 0, -1):
        found = _SAME.get(".".join(parts[:length]))
        if found is not None:
            return canonical(".".join([found, *parts[length:]]))
    return name


@cache
def all_symbols() -> dict[str, Any]:
    """Return everything that is provided, by its full name."""
    for found in pkgutil.walk_packages(clara_compat.tensorflow.__path__, f"{clara_compat.tensorflow.__name__}."):
        importlib.import_module(found.name)
    return dict(sorted(SYMBOLS.items()))


@cache
def facade_module(name: str) -> ModuleType:
    """Return the facade's module of a name.

    What it lacks is answered by an :class:`~clara_compat.tensorflow.absent.Absent`, whose first real use is an error
    with the user's line: numpy-only files often import TensorFlow, or a corner of it, without using it.
    """
    return _Module(name)


def _standalone(value: type) -> type:
    from clara_compat.tensorflow.layers.base import Layer, standalone

    same: Any = value
    return standalone(same) if issubclass(value, Layer) else value


class _Module(ModuleType):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__path__: list[str] = []
        self.__file__ = f"<clara_compat's {name}>"
        self._full = canonical(name)
        self._inside = f"{self._full}."

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name not in ("__version__", "__all__"):
            raise AttributeError(name)
        if name == "__all__":
            return [one for one in dir(self) if not one.startswith("_")]
        inside = self.__name__ if self.__name__.startswith("tensorflow.python") else self._full
        full = canonical(f"{inside}.{name}")
        found = all_symbols().get(full)
        if found is not None:
            value = naming(full, found.value)
            if self.__name__.partition(".")[0] == "keras" and isinstance(value, type):
                value = _standalone(value)
        elif full == "tensorflow" or any(one.startswith(f"{full}.") for one in (*all_symbols(), *_SAME)):
            value = facade_module(f"{self.__name__}.{name}")
        else:
            return Absent(full)
        setattr(self, name, value)
        return value

    def __dir__(self) -> list[str]:
        return sorted(
            {one[len(self._inside) :].partition(".")[0] for one in all_symbols() if one.startswith(self._inside)}
        )
