"""How tensors read in what user code prints.

TensorFlow 1 prints a tensor as a line of its name, shape and type, and runs a component once, so ``print(x)`` was a
line of a log. Here a component runs in every step: its prints are kept to the first pass, and values are not fetched.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from clara_compat.tensorflow.dtypes import as_dtype
from clara_compat.tensorflow.graph import running
from clara_compat.tensorflow.shapes import shape_of

__all__ = ["formatter", "line", "printed", "told"]


class _Line:
    """A tensor in a text: what is asked of it besides its line, it is asked itself."""

    def __init__(self, tensor: torch.Tensor) -> None:
        self._tensor = tensor

    def __repr__(self) -> str:
        return line(self._tensor)

    def __format__(self, spec: str) -> str:
        return format(self._tensor.item() if self._tensor.numel() == 1 and spec else repr(self), spec)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tensor, name)

    def __float__(self) -> float:
        return float(self._tensor)

    def __int__(self) -> int:
        return int(self._tensor)


def line(tensor: torch.Tensor) -> str:
    """Return a tensor as TensorFlow 1 prints it."""
    graph = running()
    name = None if graph is None else graph.store.name_of(tensor)
    shape, dtype = shape_of(tensor), as_dtype(tensor.dtype).name
    if name is not None:
        return f"<tf.Variable '{name}:0' shape={shape} dtype={dtype}_ref>"
    known = "Tensor" if graph is None else graph.operation_of(tensor) or "Tensor"
    return f'Tensor("{known}:0", shape={shape}, dtype={dtype})'


def told(value: Any) -> Any:
    """Return a value for a text: tensors, also in lists and dictionaries, as their lines; anything else as it is.

    Outside of a component, and in Python functions inside of one, tensors have values.
    """
    graph = running()
    return value if graph is None or graph.in_python else _told(value)


def _told(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return _Line(value)
    if type(value) in (list, tuple):
        return type(value)(_told(one) for one in value)
    if type(value) is dict:
        return {key: _told(one) for key, one in value.items()}
    return value


def printed(*values: Any, **options: Any) -> None:
    """Print, in a component only while it is first built; in functions that it calls in every step, always."""
    graph = running()
    if graph is None or graph.in_python or (graph.building and not graph.training):
        print(*(told(value) for value in values), **options)  # noqa: T201 -- it is the user's


def formatter(text: Any) -> Callable[..., Any]:
    """Return the method ``format`` of a text, which takes tensors as their lines; of anything else its own."""
    method: Callable[..., Any] = text.format
    if not isinstance(text, str):
        return method
    return lambda *args, **kwargs: method(*map(told, args), **{key: told(one) for key, one in kwargs.items()})
