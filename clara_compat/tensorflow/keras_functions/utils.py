"""``keras.utils``: functions of numpy arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from clara_compat.tensorflow.registry import symbol

__all__: list[str] = []


@symbol("keras.utils.to_categorical")
def to_categorical(y: Any, num_classes: int | None = None, dtype: Any = "float32") -> np.ndarray:
    """Return whole numbers one-hot coded, as a numpy array; an axis of size 1 at the end is dropped."""
    labels = np.asarray(y.cpu() if isinstance(y, torch.Tensor) else y).astype(int)
    shape = labels.shape[:-1] if labels.ndim > 1 and labels.shape[-1] == 1 else labels.shape
    return np.eye(num_classes or int(labels.max()) + 1, dtype=dtype)[labels.reshape(shape)]


@symbol("keras.utils.normalize")
def normalize(x: Any, axis: int = -1, order: int = 2) -> np.ndarray:
    """Return an array divided by its norm along an axis."""
    length = np.atleast_1d(np.linalg.norm(x, order, axis))
    length[length == 0] = 1
    return np.asarray(x) / np.expand_dims(length, axis)
