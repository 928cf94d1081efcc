"""A loss with what the network adds to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

__all__ = ["LossWithExtra"]


class LossWithExtra(nn.Module):
    """A loss plus the network's own: Clara adds ``Model.get_loss`` to the configured loss.

    For the trainer only: the network's part (an L2 penalty on its kernels, the loss of a VAE branch) says nothing of a
    prediction (clara-3.1 engine facts, section 2.0). The network's weights are no part of this module.

    Args:
        loss: called with predictions and targets.
        network: has a method ``extra_loss`` that returns a scalar for the last forward pass; wrappers that hold it as
            ``module``, such as ``DistributedDataParallel``, are looked through.

    Raises:
        ValueError: when the network has no ``extra_loss``.

    Example::

        SupervisedTrainer(..., loss_function=LossWithExtra(dice, network))
    """

    def __init__(self, loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor], network: nn.Module) -> None:
        super().__init__()
        self.loss = loss
        inner: Any = network
        while not hasattr(inner, "extra_loss") and hasattr(inner, "module"):
            inner = inner.module
        if not hasattr(inner, "extra_loss"):
            raise ValueError(f"{type(inner).__name__} has no method extra_loss() to add to the loss")
        self._extra: Callable[[], torch.Tensor] = inner.extra_loss

    def forward(self, predictions: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Return the loss of the predictions, as the wrapped loss does, plus the network's.

        Args:
            predictions: as the wrapped loss takes them.
            targets: as the wrapped loss takes them.
        """
        return self.loss(predictions, targets) + self._extra()
