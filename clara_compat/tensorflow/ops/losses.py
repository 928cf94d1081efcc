"""``tf.losses``: weighted losses, which are also put into a collection."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional as F

from clara_compat.tensorflow.convert import as_tensor, tensors
from clara_compat.tensorflow.graph import running
from clara_compat.tensorflow.ops.arguments import given, wide
from clara_compat.tensorflow.ops.entropies import (
    sigmoid_cross_entropy_with_logits,
    softmax_cross_entropy,
    sparse_softmax_cross_entropy_with_logits,
)
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import symbol
from clara_compat.tensorflow.scopes import GraphKeys

__all__ = ["Reduction", "collected", "compute_weighted_loss"]


@symbol("losses.Reduction")
class Reduction:
    """What becomes of the loss of each value."""

    NONE = "none"
    SUM = "weighted_sum"
    SUM_OVER_BATCH_SIZE = "weighted_sum_over_batch_size"
    MEAN = "weighted_mean"
    SUM_BY_NONZERO_WEIGHTS = "weighted_sum_by_nonzero_weights"
    SUM_OVER_NONZERO_WEIGHTS = SUM_BY_NONZERO_WEIGHTS


_ALL = (Reduction.NONE, Reduction.SUM, Reduction.SUM_OVER_BATCH_SIZE, Reduction.MEAN, Reduction.SUM_BY_NONZERO_WEIGHTS)
_BY_WEIGHTS = Reduction.SUM_BY_NONZERO_WEIGHTS


@symbol("losses.compute_weighted_loss")
def compute_weighted_loss(
    losses: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = _BY_WEIGHTS,
) -> torch.Tensor:
    """Return losses weighted and reduced, and put the result into a collection.

    Args:
        losses: of each value.
        weights: one number, or a tensor whose sizes are those of the losses or 1.
        scope: ignored.
        loss_collection: where it is put; None for nowhere.
        reduction: see :class:`Reduction`; the default divides by the count of losses whose weight is not 0.

    Raises:
        ClaraError: the weights do not fit, or there is no such reduction.
    """
    if reduction not in _ALL:
        raise refusal(f"tf.losses: reduction is '{reduction}', expected one of {', '.join(_ALL)}")
    values = wide(losses)
    weight = as_tensor(weights, like=values).to(values.dtype)
    if weight.ndim not in (0, values.ndim) or any(
        size not in (1, of_loss) for size, of_loss in zip(weight.shape, values.shape, strict=False)
    ):
        raise refusal(f"tf.losses: weights of the shape {list(weight.shape)} for losses of {list(values.shape)}")
    weighted = values * weight
    if reduction == Reduction.NONE:
        result = weighted
    else:
        result = weighted.sum()
        spread = weight.expand_as(values)
        if reduction == Reduction.MEAN:
            result = _safe(result, spread.sum())
        elif reduction == Reduction.SUM_BY_NONZERO_WEIGHTS:
            result = _safe(result, (spread != 0).to(values.dtype).sum())
        elif reduction == Reduction.SUM_OVER_BATCH_SIZE:
            result = result / values.numel()
    return collected(result, loss_collection)


def _safe(total: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
    none = count == 0
    return torch.where(none, torch.zeros_like(total), total / torch.where(none, torch.ones_like(count), count))


def collected(loss: torch.Tensor, collection: str | None) -> torch.Tensor:
    """Return a loss, and put it into a collection of this pass, if one is named."""
    graph = running()
    if collection and graph is not None:
        graph.collect(collection, loss)
    return loss


def _pair(labels: Any, predictions: Any) -> tuple[torch.Tensor, torch.Tensor]:
    if labels is None or predictions is None:
        raise refusal("tf.losses: labels and predictions must not be None")
    predicted = wide(predictions).float()
    given_labels = as_tensor(labels, like=predicted).float()
    if predicted.shape != given_labels.shape:
        raise refusal(
            f"tf.losses: labels of the shape {list(given_labels.shape)} for predictions of {list(predicted.shape)}"
        )
    return given_labels, predicted


@symbol("losses.mean_squared_error")
def mean_squared_error(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    scope: Any = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = _BY_WEIGHTS,
) -> torch.Tensor:
    """Return the mean of the squared differences."""
    y, x = _pair(labels, predictions)
    return compute_weighted_loss(torch.square(x - y), weights, scope, loss_collection, reduction)


@symbol("losses.mean_pairwise_squared_error")
def mean_pairwise_squared_error(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    scope: Any = None,
    loss_collection: Any = GraphKeys.LOSSES,
) -> torch.Tensor:
    """Return the squared differences of the errors of all pairs of values in an item, summed over the items."""
    y, x = _pair(labels, predictions)
    error, weight = x - y, as_tensor(weights, like=x).to(x.dtype)
    axes = list(range(1, error.ndim))
    count = (weight != 0).to(x.dtype).expand_as(error).sum(axes, True)
    squares = 2 * _safe(error.square().sum(axes, True), (count - 1).clamp(min=0))
    of_sums = 2 * _safe(error.sum(axes, True).square(), (count * (count - 1)).clamp(min=0))
    return collected(((squares - of_sums) * weight).sum(), loss_collection)


@symbol("losses.absolute_difference")
def absolute_difference(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    scope: Any = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = _BY_WEIGHTS,
) -> torch.Tensor:
    """Return the mean of the differences without their signs."""
    y, x = _pair(labels, predictions)
    return compute_weighted_loss((x - y).abs(), weights, scope, loss_collection, reduction)


@symbol("losses.huber_loss")
def huber_loss(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    delta: float = 1.0,
    scope: Any = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = _BY_WEIGHTS,
) -> torch.Tensor:
    """Return half the squared differences up to ``delta``, beyond it a straight line."""
    y, x = _pair(labels, predictions)
    return compute_weighted_loss(
        F.huber_loss(x, y, reduction="none", delta=delta), weights, scope, loss_collection, reduction
    )


@symbol("losses.log_loss")
def log_loss(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    epsilon: float = 1e-7,
    scope: Any = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = _BY_WEIGHTS,
) -> torch.Tensor:
    """Return the cross-entropy of probabilities, to which ``epsilon`` is added."""
    y, x = _pair(labels, predictions)
    losses = -y * torch.log(x + epsilon) - (1 - y) * torch.log(1 - x + epsilon)
    return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


@symbol("losses.hinge_loss")
def hinge_loss(
    labels: Any,
    logits: Any,
    weights: Any = 1.0,
    scope: Any = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = _BY_WEIGHTS,
) -> torch.Tensor:
    """Return ``max(0, 1 - (2 * labels - 1) * logits)``."""
    y, x = _pair(labels, logits)
    return compute_weighted_loss(F.relu(1 - (2 * y - 1) * x), weights, scope, loss_collection, reduction)


@symbol("losses.cosine_distance")
def cosine_distance(
    labels: Any,
    predictions: Any,
    axis: Any = None,
    weights: Any = 1.0,
    scope: Any = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = _BY_WEIGHTS,
    dim: Any = None,
) -> torch.Tensor:
    """Return ``1 - sum(labels * predictions)`` along an axis; both are taken to have the length 1."""
    along = given(axis, dim)
    if along is None:
        raise refusal("tf.losses.cosine_distance needs an axis")
    y, x = _pair(labels, predictions)
    return compute_weighted_loss(1 - (x * y).sum(along, True), weights, scope, loss_collection, reduction)


@symbol("losses.sigmoid_cross_entropy")
def sigmoid_cross_entropy(
    multi_class_labels: Any,
    logits: Any,
    weights: Any = 1.0,
    label_smoothing: float = 0,
    scope: Any = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = _BY_WEIGHTS,
) -> torch.Tensor:
    """Return the cross-entropy of binary labels."""
    y, x = _pair(multi_class_labels, logits)
    y = y * (1 - label_smoothing) + 0.5 * label_smoothing
    losses = sigmoid_cross_entropy_with_logits(labels=y, logits=x)
    return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


@symbol("losses.softmax_cross_entropy")
def softmax_cross_entropy_loss(
    onehot_labels: Any,
    logits: Any,
    weights: Any = 1.0,
    label_smoothing: float = 0,
    scope: Any = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = _BY_WEIGHTS,
) -> torch.Tensor:
    """Return the cross-entropy of one-hot labels along the last axis; labels get no gradient."""
    y, x = _pair(onehot_labels, logits)
    y = (y * (1 - label_smoothing) + label_smoothing / y.shape[1]).detach()
    return compute_weighted_loss(softmax_cross_entropy(y, x, -1), weights, scope, loss_collection, reduction)


@symbol("losses.sparse_softmax_cross_entropy")
def sparse_softmax_cross_entropy(
    labels: Any,
    logits: Any,
    weights: Any = 1.0,
    scope: Any = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = _BY_WEIGHTS,
) -> torch.Tensor:
    """Return the cross-entropy of whole-number labels along the last axis; an axis of size 1 of them is dropped."""
    y, x = tensors(labels, logits)
    if y.ndim == x.ndim and y.shape[-1] == 1:
        y = y.squeeze(-1)
    weight = as_tensor(weights, like=wide(x))
    if weight.ndim == y.ndim + 1 and weight.shape[-1] == 1:
        weight = weight.squeeze(-1)
    losses = sparse_softmax_cross_entropy_with_logits(labels=y, logits=x)
    return compute_weighted_loss(losses, weight, scope, loss_collection, reduction)
