"""``keras.metrics``: accuracies as functions."""

from __future__ import annotations

from typing import Any

import torch

from clara_compat.tensorflow.convert import tensors
from clara_compat.tensorflow.ops.matrices import in_top_k
from clara_compat.tensorflow.registry import symbol

__all__: list[str] = []


@symbol("keras.metrics.binary_accuracy")
def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> torch.Tensor:
    """Return the share of values on the right side of a threshold, over the last axis."""
    true, predicted = tensors(y_true, y_pred)
    return ((predicted > threshold).to(true.dtype) == true).float().mean(-1)


@symbol("keras.metrics.categorical_accuracy")
def categorical_accuracy(y_true: Any, y_pred: Any) -> torch.Tensor:
    """Return 1 where the largest prediction is at the place of the one, else 0."""
    true, predicted = tensors(y_true, y_pred)
    return (true.argmax(-1) == predicted.argmax(-1)).float()


@symbol("keras.metrics.sparse_categorical_accuracy")
def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> torch.Tensor:
    """Return 1 where the largest prediction is at the place that the label names, else 0."""
    true, predicted = tensors(y_true, y_pred)
    if true.ndim == predicted.ndim:
        true = true.squeeze(-1)
    return (true.long() == predicted.argmax(-1)).float()


@symbol("keras.metrics.top_k_categorical_accuracy")
def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> torch.Tensor:
    """Return 1 where the prediction of the true class is among the ``k`` largest, else 0."""
    true, predicted = tensors(y_true, y_pred)
    return in_top_k(predicted, true.argmax(-1), k).float()
