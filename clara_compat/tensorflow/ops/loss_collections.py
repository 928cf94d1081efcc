"""``tf.losses``: what was collected."""

from __future__ import annotations

from typing import Any

import torch

from clara_compat.tensorflow.ops.creating import device
from clara_compat.tensorflow.ops.elementwise import add_n
from clara_compat.tensorflow.ops.losses import collected
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import symbol
from clara_compat.tensorflow.scopes import GraphKeys, get_collection

__all__ = ["add_loss", "get_losses", "get_regularization_losses", "get_total_loss"]


@symbol("losses.add_loss")
def add_loss(loss: Any, loss_collection: str | None = GraphKeys.LOSSES) -> None:
    """Put a loss into a collection."""
    collected(loss, loss_collection)


@symbol("losses.get_losses")
def get_losses(scope: str | None = None, loss_collection: str = GraphKeys.LOSSES) -> list[Any]:
    """Return the losses of this pass."""
    return get_collection(loss_collection)


@symbol("losses.get_regularization_losses")
def get_regularization_losses(scope: str | None = None) -> list[Any]:
    """Return the penalties of variables."""
    return get_collection(GraphKeys.REGULARIZATION_LOSSES)


@symbol("losses.get_regularization_loss")
def get_regularization_loss(scope: str | None = None, name: str = "total_regularization_loss") -> torch.Tensor:
    """Return the sum of the penalties of variables, 0 without any."""
    found = get_regularization_losses()
    return add_n(found) if found else torch.zeros((), device=device())


@symbol("losses.get_total_loss")
def get_total_loss(
    add_regularization_losses: bool = True, name: str = "total_loss", scope: str | None = None
) -> torch.Tensor:
    """Return the sum of the losses and penalties of this pass.

    Raises:
        ClaraError: there are none.
    """
    found = get_losses() + (get_regularization_losses() if add_regularization_losses else [])
    if not found:
        raise refusal("tf.losses.get_total_loss: there is no loss in the collection")
    return add_n(found)
