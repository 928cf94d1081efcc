"""Names that TensorFlow's operations take from the layers after them.

In TensorFlow an operation has a name of its graph, and a Keras layer of the same name in the same scope gets a number:
after ``tf.nn.conv3d`` the variables of the next ``tf.keras.layers.Conv3D`` are in ``conv3d_1``, after
``tf.nn.relu(x, name="up")`` those of a layer called ``up`` are in ``up_1``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from clara_compat.tensorflow.graph import running

__all__ = ["naming"]

_DEFAULTS = {
    "conv1d": "conv1d",
    "conv2d": "Conv2D",
    "conv3d": "Conv3D",
    "conv1d_transpose": "conv1d_transpose",
    "conv2d_transpose": "conv2d_transpose",
    "conv3d_transpose": "conv3d_transpose",
    "separable_conv2d": "separable_conv2d",
}
"""Functions of ``tf.nn`` whose operations are called like a layer that has variables."""
_INSIDE = "clara_compat.tensorflow.ops."
_OWN_RULES = frozenset({"control", "session", "variables"})
"""Modules whose functions use their ``name`` themselves."""


def naming(full: str, value: Any) -> Any:
    """Return a function of TensorFlow that takes its name in the running graph before it runs.

    Args:
        full: ``tensorflow.nn.conv3d``.
        value: what is provided under that name; anything but the function of an operation is returned as it is.
    """
    module = getattr(value, "__module__", None) or ""
    if isinstance(value, type) or not callable(value) or not module.startswith(_INSIDE):
        return value
    if module.rpartition(".")[2] in _OWN_RULES:
        return value
    inside, _, last = full.rpartition(".")
    return _named(value, _DEFAULTS.get(last) if inside == "tensorflow.nn" else None)


@functools.cache
def _named(function: Callable[..., Any], default: str | None) -> Callable[..., Any]:
    @functools.wraps(function)
    def operation(*args: Any, **kwargs: Any) -> Any:
        name = kwargs.get("name") or default
        if name is not None:
            graph = running()
            if graph is not None:
                graph.unique_name(str(name).rstrip("/"))
        return function(*args, **kwargs)

    return operation
