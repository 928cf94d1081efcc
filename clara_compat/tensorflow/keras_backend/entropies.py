"""``keras.backend``: cross-entropies, which take the logits where the predictions were made from some."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional as F

from clara_compat.tensorflow.convert import tensors
from clara_compat.tensorflow.keras_settings import keras_settings
from clara_compat.tensorflow.ops.arguments import axis_of, wide
from clara_compat.tensorflow.ops.entropies import softmax_cross_entropy, sparse_softmax_cross_entropy_with_logits
from clara_compat.tensorflow.ops.logits import logits_of
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import symbol

__all__ = ["binary_crossentropy", "categorical_crossentropy", "sparse_categorical_crossentropy"]


def _pair(target: Any, output: Any) -> tuple[torch.Tensor, torch.Tensor]:
    y, x = tensors(target, output)
    return y, x


@symbol("keras.backend.binary_crossentropy")
def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> torch.Tensor:
    """Return the cross-entropy of each value.

    Args:
        target: labels.
        output: probabilities, or logits.
        from_logits: which of them; of what a sigmoid returned the logits are taken all the same.
    """
    y, x = _pair(target, output)
    logits = x if from_logits else logits_of("sigmoid", x)
    if logits is not None:
        logits = wide(logits)
        return F.binary_cross_entropy_with_logits(
            logits, y.to(logits.dtype).broadcast_to(logits.shape), reduction="none"
        )
    small = keras_settings().epsilon
    p, y = wide(x).clamp(small, 1.0 - small), y.to(wide(x).dtype)
    return -(y * torch.log(p + small) + (1.0 - y) * torch.log(1.0 - p + small))


@symbol("keras.backend.categorical_crossentropy")
def categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: Any = -1) -> torch.Tensor:
    """Return the cross-entropy along an axis.

    Args:
        target: labels, one-hot coded.
        output: probabilities, which are divided by their sum, or logits.
        from_logits: which of them; of what a softmax over the last axis returned the logits are taken all the same.
        axis: of the classes.
    """
    y, x = _pair(target, output)
    logits = x if from_logits else logits_of("softmax", x)
    if logits is not None:
        return softmax_cross_entropy(y, logits, axis)
    at, small = axis_of(axis, x.ndim, "K.categorical_crossentropy"), keras_settings().epsilon
    p = wide(x)
    p = (p / p.sum(at, keepdim=True)).clamp(small, 1.0 - small)
    return -(y.to(p.dtype) * torch.log(p)).sum(at)


@symbol("keras.backend.sparse_categorical_crossentropy")
def sparse_categorical_crossentropy(
    target: Any, output: Any, from_logits: bool = False, axis: Any = -1
) -> torch.Tensor:
    """Return the cross-entropy of whole-number labels along an axis.

    Args:
        target: labels, with or without an axis of size 1 for the classes.
        output: probabilities or logits.
        from_logits: which of them; of what a softmax over the last axis returned the logits are taken all the same.
        axis: of the classes.

    Raises:
        ClaraError: the shapes do not fit.
    """
    y, x = _pair(target, output)
    logits = x if from_logits else logits_of("softmax", x)
    if logits is None:
        small = keras_settings().epsilon
        logits = torch.log(wide(x).clamp(small, 1.0 - small))
    logits = logits.movedim(axis_of(axis, x.ndim, "K.sparse_categorical_crossentropy"), -1)
    if y.numel() != logits.numel() // logits.shape[-1]:
        raise refusal(f"K.sparse_categorical_crossentropy: labels of the shape {list(y.shape)} for {list(x.shape)}")
    flat = sparse_softmax_cross_entropy_with_logits(
        labels=y.reshape(-1).long(), logits=logits.reshape(-1, logits.shape[-1])
    )
    return flat.reshape(logits.shape[:-1])
