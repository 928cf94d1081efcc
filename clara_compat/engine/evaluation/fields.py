"""The fields of a case: what metrics see of them, and what a report keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from clara_compat.engine.tensors import plain
from clara_compat.errors import ClaraError

__all__ = ["batch_of", "small"]


def batch_of(items: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the fields of the items as batches, without metadata; what is neither image nor numbers is left out.

    Args:
        items: of one batch, with the same fields.

    Raises:
        ClaraError: the items of a field differ in size.
    """
    batch = {}
    for name in items[0]:
        tensors = [tensor for item in items if (tensor := _tensor(item.get(name))) is not None]
        if len(tensors) < len(items):
            continue
        if len({tensor.shape for tensor in tensors}) > 1:
            raise ClaraError(f"the fields '{name}' of a batch differ in size: set batch_size to 1")
        batch[name] = tensors[0][None] if len(tensors) == 1 else torch.stack(tensors)
    return batch


def _tensor(value: Any) -> torch.Tensor | None:
    if isinstance(value, torch.Tensor):
        return plain(value)
    if isinstance(value, (str, bytes, dict)) or value is None:
        return None
    try:
        return torch.from_numpy(np.atleast_1d(np.asarray(value, dtype=np.float32)))
    except (TypeError, ValueError):
        return None


def small(value: Any) -> Any:
    """Return numbers, texts and lists of them as plain data; None for images and other things.

    Args:
        value: of a field.
    """
    if isinstance(value, (torch.Tensor, np.ndarray)):
        return value.tolist() if value.ndim < 2 else None
    return value if isinstance(value, (int, float, str, list)) else None
