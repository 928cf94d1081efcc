"""A loss made of other losses."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

__all__ = ["WeightedSumLoss"]


class WeightedSumLoss(nn.Module):
    """The sum of losses of the same two tensors, each times its weight; one of the weight 0 is not computed.

    Args:
        losses: the losses, called with predictions and targets.
        weights: one per loss; by default 1.

    Raises:
        ValueError: when there is no loss, their numbers differ, or all weights are 0.

    Example::

        loss = WeightedSumLoss([ClaraDiceLoss(), ClaraFocalLoss()], weights=[1.0, 0.5])
    """

    def __init__(self, losses: Sequence[nn.Module], weights: Sequence[float] | None = None) -> None:
        super().__init__()
        self.losses = nn.ModuleList(losses)
        self.weights = [1.0] * len(losses) if weights is None else [float(weight) for weight in weights]
        if not losses or len(losses) != len(self.weights):
            raise ValueError(f"got {len(losses)} losses and {len(self.weights)} weights, expected one weight per loss")
        if not any(self.weights):
            raise ValueError("all weights are 0, so there is no loss: give one of the losses a weight")

    def forward(self, predictions: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Return the loss, a scalar.

        Args:
            predictions: as the parts take them: (N, C, ...).
            targets: as the parts take them.
        """
        parts = [w * loss(predictions, targets) for w, loss in zip(self.weights, self.losses, strict=True) if w]
        return torch.stack(parts).sum()
