"""``slim.losses``: predictions come first, and every loss is put into the collection of losses."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional as F

from clara_compat.tensorflow.contrib.arg_scope import add_arg_scope
from clara_compat.tensorflow.convert import as_tensor
from clara_compat.tensorflow.graph import current
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import register
from clara_compat.tensorflow.scopes import GraphKeys, get_collection

__all__ = ["add_loss", "compute_weighted_loss", "get_losses", "get_regularization_losses", "get_total_loss"]


def compute_weighted_loss(losses: Any, weights: Any = 1.0, scope: Any = None) -> torch.Tensor:
    """Return the weighted mean of losses over those whose weight is not 0.

    Args:
        losses: (N, ...).
        weights: a number, or for the first axes of the losses.
        scope: without meaning here.

    Raises:
        ClaraError: the weights do not fit the losses.
    """
    losses = as_tensor(losses)
    values = losses.float()
    factors = as_tensor(weights, like=values).float()
    if factors.ndim > 1 and factors.shape[-1] == 1:
        factors = factors.squeeze(-1)
    if list(factors.shape) not in ([], [1], list(values.shape[: factors.ndim])):
        raise refusal(f"weights of the shape {list(factors.shape)} do not fit losses of {list(values.shape)}")
    spread = factors.reshape([*factors.shape, *[1] * (values.ndim - factors.ndim)]).expand(values.shape)
    present = (spread != 0).sum()
    loss = torch.where(present > 0, (values * spread).sum() / present.clamp(min=1), 0.0).to(losses.dtype)
    add_loss(loss)
    return loss


@add_arg_scope
def add_loss(loss: torch.Tensor, loss_collection: str | None = GraphKeys.LOSSES) -> None:
    """Put a loss into the collection of losses."""
    if loss_collection:
        current("a collection").collect(loss_collection, loss)


def get_losses(scope: str | None = None, loss_collection: str = GraphKeys.LOSSES) -> list[torch.Tensor]:
    """Return the losses made so far."""
    return get_collection(loss_collection, scope)


def get_regularization_losses(scope: str | None = None) -> list[torch.Tensor]:
    """Return the penalties of the variables made so far."""
    return get_collection(GraphKeys.REGULARIZATION_LOSSES, scope)


def get_total_loss(add_regularization_losses: bool = True, name: str = "total_loss") -> torch.Tensor:
    """Return the sum of the losses made so far, by default with the penalties of variables.

    Raises:
        ClaraError: there are none.
    """
    found = get_losses() + (get_regularization_losses() if add_regularization_losses else [])
    if not found:
        raise refusal("slim.losses.get_total_loss finds no losses: none was made by slim.losses, none added")
    return sum(found[1:], found[0])


def _pair(predictions: Any, labels: Any) -> tuple[torch.Tensor, torch.Tensor]:
    predictions = as_tensor(predictions)
    labels = as_tensor(labels, like=predictions)
    if predictions.shape != labels.shape:
        raise refusal(f"predictions of {list(predictions.shape)} and labels of {list(labels.shape)} differ in shape")
    return predictions, labels.to(predictions.dtype)


def _singles(predictions: Any, labels: Any) -> tuple[torch.Tensor, torch.Tensor]:
    predictions, labels = _pair(predictions, labels)
    return predictions.float(), labels.float()


def absolute_difference(predictions: Any, labels: Any = None, weights: Any = 1.0, scope: Any = None) -> torch.Tensor:
    """Return the weighted mean of ``abs(predictions - labels)``."""
    predictions, labels = _singles(predictions, labels)
    return compute_weighted_loss((predictions - labels).abs(), weights)


def mean_squared_error(predictions: Any, labels: Any = None, weights: Any = 1.0, scope: Any = None) -> torch.Tensor:
    """Return the weighted mean of the squared differences."""
    predictions, labels = _singles(predictions, labels)
    return compute_weighted_loss((predictions - labels).square(), weights)


def log_loss(
    predictions: Any, labels: Any = None, weights: Any = 1.0, epsilon: float = 1e-7, scope: Any = None
) -> torch.Tensor:
    """Return the weighted mean of the binary cross entropy of probabilities."""
    p, y = _singles(predictions, labels)
    return compute_weighted_loss(-y * (p + epsilon).log() - (1 - y) * (1 - p + epsilon).log(), weights)


def hinge_loss(logits: Any, labels: Any = None, scope: Any = None) -> torch.Tensor:
    """Return the hinge losses of labels 0 and 1, not reduced and not collected."""
    logits, labels = _pair(logits, labels)
    return torch.relu(1 - (2 * labels - 1) * logits)


def sigmoid_cross_entropy(
    logits: Any, multi_class_labels: Any, weights: Any = 1.0, label_smoothing: float = 0, scope: Any = None
) -> torch.Tensor:
    """Return the weighted mean of the binary cross entropy of logits."""
    logits, labels = _pair(logits, multi_class_labels)
    labels = labels * (1 - label_smoothing) + 0.5 * label_smoothing
    return compute_weighted_loss(F.binary_cross_entropy_with_logits(logits, labels, reduction="none"), weights)


def softmax_cross_entropy(
    logits: Any, onehot_labels: Any, weights: Any = 1.0, label_smoothing: float = 0, scope: Any = None
) -> torch.Tensor:
    """Return the weighted mean of the cross entropy of logits, classes on the last axis."""
    logits, labels = _pair(logits, onehot_labels)
    labels = labels * (1 - label_smoothing) + label_smoothing / labels.shape[1]
    return compute_weighted_loss(-(labels * logits.log_softmax(-1)).sum(-1), weights)


def sparse_softmax_cross_entropy(logits: Any, labels: Any, weights: Any = 1.0, scope: Any = None) -> torch.Tensor:
    """Return the weighted mean of the cross entropy of logits (N, classes); labels are numbers of classes."""
    logits = as_tensor(logits)
    numbers = as_tensor(labels).to(logits.device).reshape(logits.shape[0]).long()
    return compute_weighted_loss(F.cross_entropy(logits, numbers, reduction="none"), weights)


def cosine_distance(
    predictions: Any,
    labels: Any = None,
    axis: int | None = None,
    weights: Any = 1.0,
    scope: Any = None,
    dim: int | None = None,
) -> torch.Tensor:
    """Return the weighted mean of 1 minus the product of unit vectors; ``dim`` is the older name of ``axis``.

    Raises:
        ClaraError: no axis is given.
    """
    predictions, labels = _singles(predictions, labels)
    axis = dim if axis is None else axis
    if axis is None:
        raise refusal("slim.losses.cosine_distance needs an axis")
    return compute_weighted_loss(1 - (predictions * labels).sum(axis), weights)


for _function in (
    *(absolute_difference, add_loss, compute_weighted_loss, cosine_distance, get_losses, get_regularization_losses),
    *(get_total_loss, hinge_loss, log_loss, mean_squared_error, sigmoid_cross_entropy, softmax_cross_entropy),
    sparse_softmax_cross_entropy,
):
    _name = _function.__name__
    register(_function, f"contrib.slim.losses.{_name}", f"contrib.losses.{_name}")
