"""Names that TensorFlow's operations take from the layers after them.

In TensorFlow an operation has a name of its graph, and a Keras layer of the same name in the same scope gets a number:
after ``tf.nn.conv3d`` the variables of the next ``tf.keras.layers.Conv3D`` are in ``conv3d_1``, after
``tf.nn.relu(x, name="up")`` those of a layer called ``up`` are in ``up_1``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch

from clara_compat.tensorflow.graph import running

__all__ = ["naming"]

_DEFAULTS = {
    "tensorflow.nn.conv1d": "conv1d",
    "tensorflow.nn.conv2d": "Conv2D",
    "tensorflow.nn.conv3d": "Conv3D",
    "tensorflow.nn.conv1d_transpose": "conv1d_transpose",
    "tensorflow.nn.conv2d_transpose": "conv2d_transpose",
    "tensorflow.nn.conv3d_transpose": "conv3d_transpose",
    "tensorflow.nn.separable_conv2d": "separable_conv2d",
    "tensorflow.nn.moments": "moments",
    "tensorflow.reduce_mean": "Mean",
    "tensorflow.math.reduce_mean": "Mean",
}
"""Functions whose operations are called like a layer that has variables, or are averaged over steps by their names."""
_OUTPUTS = {False: ("Squeeze", "Squeeze_1"), True: ("mean", "variance")}
"""The operations in ``tf.nn.moments`` that make its outputs, without and with the axes kept."""
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
    return _named(value, _DEFAULTS.get(full))


@functools.cache
def _named(function: Callable[..., Any], default: str | None) -> Callable[..., Any]:
    @functools.wraps(function)
    def operation(*args: Any, **kwargs: Any) -> Any:
        name, graph = kwargs.get("name") or default, running()
        if name is None or graph is None:
            return function(*args, **kwargs)
        full = graph.unique_name(str(name).rstrip("/"))
        found = function(*args, **kwargs)
        if isinstance(found, torch.Tensor):
            graph.made_by(full, found)
        elif default == "moments":
            for one, last in zip(found, _OUTPUTS[bool(kwargs.get("keep_dims") or kwargs.get("keepdims"))], strict=True):
                graph.made_by(f"{full}/{last}", one)
        return found

    return operation
