"""Tensors and plain data: what a file can hold that is read with ``weights_only``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

__all__ = ["plain_data"]

_KINDS: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (str, "".join),  # str() of an enumeration is its name
    (bytes, bytes),
    (bool, bool),
    (int, int),
    (float, float),
    (complex, complex),
)


def plain_data(value: Any) -> Any:
    """Return a value without classes of anybody's own: enumerations, NumPy's numbers, tensors with metadata.

    Args:
        value: tensors, numbers and texts, in mappings, lists and tuples.

    Raises:
        TypeError: it holds something else; the message is what.
    """
    if value is None:
        return None
    if isinstance(value, torch.Tensor):
        return value if type(value) is torch.Tensor else value.detach().as_subclass(torch.Tensor)
    if isinstance(value, np.generic):
        return plain_data(value.item())
    for kind, plain in _KINDS:
        if isinstance(value, kind):
            return value if type(value) is kind else plain(value)
    if isinstance(value, Mapping):
        return {plain_data(key): plain_data(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_data(one) for one in value] if isinstance(value, list) else tuple(map(plain_data, value))
    raise TypeError(f"a {type(value).__module__}.{type(value).__name__}")
