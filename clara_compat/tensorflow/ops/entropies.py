"""``tf.nn``'s cross-entropies and other losses of single values."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional as F

from clara_compat.tensorflow.convert import as_tensor, tensors
from clara_compat.tensorflow.ops.arguments import axis_of, given, wide
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import symbol
from clara_compat.tensorflow.shapes import sizes

__all__ = [
    "sigmoid_cross_entropy_with_logits",
    "softmax_cross_entropy_with_logits",
    "sparse_softmax_cross_entropy_with_logits",
]


def _only_by_name(_sentinel: Any, what: str) -> None:
    if _sentinel is not None:
        raise refusal(f"{what} takes its arguments by name: labels=..., logits=...")


def _like(labels: Any, logits: Any, what: str) -> tuple[torch.Tensor, torch.Tensor]:
    if logits is None or labels is None:
        raise refusal(f"{what} needs both labels and logits")
    x = wide(logits)
    y = as_tensor(labels, like=x)
    y = y.to(x.dtype) if y.is_floating_point() else y
    return y, x


@symbol("nn.sigmoid_cross_entropy_with_logits")
def sigmoid_cross_entropy_with_logits(
    _sentinel: Any = None, labels: Any = None, logits: Any = None, name: str | None = None
) -> torch.Tensor:
    """Return the cross-entropy of each value.

    Raises:
        ClaraError: the shapes differ, as in TensorFlow.
    """
    what = "tf.nn.sigmoid_cross_entropy_with_logits"
    _only_by_name(_sentinel, what)
    y, x = _like(labels, logits, what)
    if y.shape != x.shape:
        raise refusal(f"{what}: labels of the shape {list(y.shape)} for logits of {list(x.shape)}")
    return F.binary_cross_entropy_with_logits(x, y.to(x.dtype), reduction="none")


@symbol("nn.weighted_cross_entropy_with_logits")
def weighted_cross_entropy_with_logits(
    labels: Any = None, logits: Any = None, pos_weight: Any = None, name: str | None = None, targets: Any = None
) -> torch.Tensor:
    """Return the cross-entropy of each value, that of positive labels weighted."""
    y, x = _like(given(labels, targets), logits, "tf.nn.weighted_cross_entropy_with_logits")
    weight = 1.0 + (as_tensor(pos_weight, like=x) - 1.0) * y
    return (1.0 - y) * x + weight * (torch.log1p(torch.exp(-x.abs())) + F.relu(-x))


@symbol("nn.softmax_cross_entropy_with_logits_v2")
def softmax_cross_entropy_with_logits_v2(
    labels: Any, logits: Any, axis: Any = None, name: str | None = None, dim: Any = None
) -> torch.Tensor:
    """Return the cross-entropy along an axis, the last if none is given; labels get gradients, too."""
    return softmax_cross_entropy(labels, logits, given(axis, dim, -1))


@symbol("nn.softmax_cross_entropy_with_logits")
def softmax_cross_entropy_with_logits(
    _sentinel: Any = None,
    labels: Any = None,
    logits: Any = None,
    dim: Any = -1,
    name: str | None = None,
    axis: Any = None,
) -> torch.Tensor:
    """Return the cross-entropy along an axis, the last if none is given; labels get no gradient."""
    _only_by_name(_sentinel, "tf.nn.softmax_cross_entropy_with_logits")
    fixed = labels.detach() if isinstance(labels, torch.Tensor) else labels
    return softmax_cross_entropy(fixed, logits, given(axis, dim))


def softmax_cross_entropy(labels: Any, logits: Any, axis: Any) -> torch.Tensor:
    """Return ``-sum(labels * log(softmax(logits)))`` along an axis.

    The gradient for the logits is TensorFlow's, ``softmax(logits) - labels``: the true one only where the labels add up
    to 1. An index that is out of range and one-hot coded to zeros gives no loss but a gradient.

    Args:
        labels: of the shape of the logits, or one that broadcasts to it.
        logits: any floating point tensor.
        axis: of the classes.

    Raises:
        ClaraError: the shapes do not fit.
    """
    y, x = _like(labels, logits, "the softmax cross-entropy")
    at = axis_of(axis, x.ndim, "the softmax cross-entropy")
    try:
        y = y.to(x.dtype).broadcast_to(x.shape)
    except RuntimeError as error:
        raise refusal(f"labels of the shape {list(y.shape)} for logits of {list(x.shape)}") from error
    shifted = x - x.detach().amax(at, keepdim=True)
    total = torch.logsumexp(shifted, at)
    return total - (y * shifted).sum(at) + (y.sum(at) - 1.0) * total.detach()


@symbol("nn.sparse_softmax_cross_entropy_with_logits")
def sparse_softmax_cross_entropy_with_logits(
    _sentinel: Any = None, labels: Any = None, logits: Any = None, name: str | None = None
) -> torch.Tensor:
    """Return the cross-entropy of whole-number labels, (...), and logits, (..., classes).

    A label out of range gives NaN, as TensorFlow does on an accelerator; on a CPU it refuses it.

    Raises:
        ClaraError: the shapes do not fit, or the labels are no whole numbers.
    """
    what = "tf.nn.sparse_softmax_cross_entropy_with_logits"
    _only_by_name(_sentinel, what)
    if logits is None or labels is None:
        raise refusal(f"{what} needs both labels and logits")
    x, y = wide(logits), as_tensor(labels)
    if y.is_floating_point():
        raise refusal(f"{what} takes whole numbers as labels: use tf.cast(labels, tf.int32)")
    if y.shape != x.shape[:-1]:
        raise refusal(f"{what}: labels of the shape {list(y.shape)} for logits of {list(x.shape)}")
    y = y.to(x.device, torch.int64)
    inside = (y >= 0) & (y < x.shape[-1])
    picked = torch.log_softmax(x, -1).gather(-1, y.clamp(0, x.shape[-1] - 1).unsqueeze(-1)).squeeze(-1)
    return torch.where(inside, -picked, float("nan"))


@symbol("nn.l2_loss")
def l2_loss(t: Any, name: str | None = None) -> torch.Tensor:
    """Return half the sum of the squares."""
    return wide(t).square().sum() / 2


@symbol("nn.log_poisson_loss")
def log_poisson_loss(
    targets: Any, log_input: Any, compute_full_loss: bool = False, name: str | None = None
) -> torch.Tensor:
    """Return Poisson's loss for the logarithm of the rate."""
    y, x = tensors(targets, log_input)
    result = x.exp() - x * y
    if compute_full_loss:
        stirling = y * y.log() - y + 0.5 * (2 * torch.pi * y).log()
        result = result + torch.where((y >= 0) & (y <= 1), torch.zeros_like(y), stirling)
    return result


@symbol("nn.embedding_lookup")
def embedding_lookup(
    params: Any,
    ids: Any,
    partition_strategy: str = "mod",
    name: str | None = None,
    validate_indices: bool = True,
    max_norm: Any = None,
) -> torch.Tensor:
    """Return the rows of a table that numbers name."""
    table = params[0] if isinstance(params, list | tuple) else params
    index = as_tensor(ids)
    found = as_tensor(table)
    return found[index.to(found.device, torch.int64)].reshape(sizes([*index.shape, *found.shape[1:]]))
