"""Items as values: what they take, and sharing one of a cache."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from monai.data import MetaTensor

from clara_compat.engine import properties

__all__ = ["Item", "shared", "size_of"]

Item = dict[str, Any] | list[dict[str, Any]]
"""What a chain makes of an entry of the data list; a list behind a crop that makes a batch."""


def shared(item: Item, *, copied: bool) -> Item:
    """Return an item of a cache for somebody's use: its metadata are its own, the memory of its tensors is shared.

    MONAI's transforms leave the memory alone, and so does users' code, which is given copies of marked tensors.

    Args:
        item: the cache's.
        copied: copy plain tensors, which cannot be marked, as users' code follows.
    """
    return [_shared(one, copied) for one in item] if isinstance(item, list) else _shared(item, copied)


def _shared(item: Mapping[str, Any], copied: bool) -> dict[str, Any]:
    return {field: _shared_value(value, copied) for field, value in item.items()}


def _shared_value(value: Any, copied: bool) -> Any:
    if isinstance(value, MetaTensor):
        return properties.share(value)
    return value if isinstance(value, torch.Tensor) and not copied else copy.deepcopy(value)


def size_of(item: Any) -> int:
    """Return the bytes of the tensors of an item, or of a list of items.

    Args:
        item: tensors by field, or a list of such.
    """
    values: Iterable[Any] = item.values() if isinstance(item, Mapping) else item if isinstance(item, list) else ()
    own = item.nbytes if isinstance(item, (torch.Tensor, np.ndarray)) else 0
    return own + sum(map(size_of, values))
