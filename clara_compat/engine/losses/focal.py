"""Clara's focal loss."""

from __future__ import annotations

import torch
from torch import nn

from clara_compat.engine.losses.targets import checked, labels_and_classes

__all__ = ["ClaraFocalLoss"]


class ClaraFocalLoss(nn.Module):
    """Focal loss on probabilities: the mean over voxels and samples of ``-alpha (1 - p_t)^gamma log(p_t)``.

    p_t is the predicted probability of the voxel's class. A voxel whose class has no channel, or is the background
    under ``skip_background``, adds nothing but counts as a voxel. With soft one-hot targets the terms of the channels
    are weighted by the target and added. The logarithm never meets less than the smallest normal number, so a
    probability that has run to zero gives a large loss and not infinity.

    A single prediction channel (sigmoid) has no channel of background: p_t is then p on the foreground and 1 - p
    elsewhere. With several sigmoid channels only the channel of the voxel's class counts.

    NVIDIA documented neither the formula nor the defaults (clara-3.1 engine facts, section 2.2): they are those of the
    paper (Lin et al. 2017), with alpha as a plain factor. ``monai.losses.FocalLoss`` takes logits.

    Args:
        skip_background: leave channel 0 out.
        gamma: exponent, 0 for cross entropy.
        alpha: factor.
        is_onehot_targets: targets have one channel per class; otherwise one channel of class indices.

    Raises:
        ValueError: when gamma is negative.

    Example::

        loss = ClaraFocalLoss()
        loss(torch.softmax(logits, dim=1), label)  # logits (N, C, D, H, W), label (N, 1, D, H, W)
    """

    def __init__(
        self, skip_background: bool = False, gamma: float = 2.0, alpha: float = 0.25, is_onehot_targets: bool = False
    ) -> None:
        super().__init__()
        if gamma < 0:
            raise ValueError(f"gamma must not be negative but is {gamma}")
        self.skip_background = skip_background
        self.gamma = gamma
        self.alpha = alpha
        self.is_onehot_targets = is_onehot_targets

    def forward(self, predictions: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Return the loss, a scalar.

        Args:
            predictions: probabilities (N, C, spatial...).
            targets: (N, 1, spatial...) class indices, or (N, C, spatial...) when ``is_onehot_targets``.

        Raises:
            ValueError: when the two do not fit each other or the options.
        """
        predictions, targets = checked(predictions, targets, self.skip_background, self.is_onehot_targets)
        if self.is_onehot_targets:
            total = self._sum_soft(predictions, targets)
        else:
            total = self._sum_indices(predictions, targets)
        voxels = predictions.numel() // predictions.shape[1]
        return self.alpha * total / voxels

    def _sum_indices(self, predictions: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Add the terms of all voxels, for targets of class indices."""
        channels = predictions.shape[1]
        labels, classes = labels_and_classes(targets, channels)
        if channels == 1:
            return self._term(torch.where(labels == classes, predictions, 1.0 - predictions)).sum()
        counted = (labels >= int(self.skip_background)) & (labels < channels)
        # gathering takes a third of the time and memory of a one-hot target
        probability = predictions.gather(1, labels.masked_fill(~counted, 0).long())
        return (self._term(probability) * counted).sum()

    def _sum_soft(self, predictions: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Add the terms of all voxels, for targets of one channel per class; one channel at a time to save memory."""
        first = int(self.skip_background)
        pairs = list(zip(targets.unbind(dim=1), predictions.unbind(dim=1), strict=True))[first:]
        total = torch.stack([(t.to(p.dtype) * self._term(p)).sum() for t, p in pairs]).sum()
        if predictions.shape[1] == 1:
            total = total + ((1.0 - targets.to(predictions.dtype)) * self._term(1.0 - predictions)).sum()
        return total

    def _term(self, probability: torch.Tensor) -> torch.Tensor:
        """Return ``-(1 - p)^gamma log(p)`` per voxel, finite with a finite gradient for every p in [0, 1]."""
        tiny = torch.finfo(probability.dtype).tiny
        logarithm = torch.log(probability.clamp(min=tiny))
        if self.gamma == 0:
            return -logarithm
        return -((1.0 - probability).clamp(min=tiny) ** self.gamma) * logarithm
