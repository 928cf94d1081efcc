"""What losses that go voxel by voxel have in common."""

from __future__ import annotations

import torch
from torch import nn

from clara_compat.engine.losses.targets import checked, labels_and_classes
from clara_compat.engine.networks.activation import log_complements, log_likelihoods, log_probabilities
from clara_compat.engine.slabs import pieces

__all__ = ["VoxelwiseLoss"]


class VoxelwiseLoss(nn.Module):
    """The mean over voxels and samples of a term of log(p), p being the predicted probability of the voxel's class.

    A voxel whose class has no channel, or is the background under ``skip_background``, adds nothing but counts as a
    voxel. With soft one-hot targets the terms of the channels are weighted by the target and added.

    A single prediction channel (sigmoid) has no channel of background: p is then the prediction on the foreground and
    one minus it elsewhere. The same goes for each of several independent channels, whose terms are averaged: if only
    the channel of the voxel's class counted, a prediction of 1 everywhere would be perfect.

    The logarithm is taken from the logits where the network remembers them
    (:class:`clara_compat.engine.networks.activation.FinalActivation`), so that it stays exact for a probability that
    has run to 0 or 1.

    Args:
        skip_background: leave channel 0 out.
        is_onehot_targets: targets have one channel per class; otherwise one channel of class indices.
        is_independent_predictions: every channel is a probability by itself (sigmoid), as a single one always is.
    """

    def __init__(
        self,
        skip_background: bool = False,
        is_onehot_targets: bool = False,
        is_independent_predictions: bool = False,
    ) -> None:
        super().__init__()
        self.skip_background = skip_background
        self.is_onehot_targets = is_onehot_targets
        self.is_independent_predictions = is_independent_predictions

    def term(self, log_probability: torch.Tensor) -> torch.Tensor:
        """Return the loss per voxel, finite with a finite gradient, of log(p) per voxel, which is never above 0.

        Args:
            log_probability: log(p) of the true class, any shape.
        """
        raise NotImplementedError

    def forward(self, predictions: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Return the loss, a scalar.

        Args:
            predictions: probabilities (N, C, spatial...).
            targets: (N, 1, spatial...) class indices, or (N, C, spatial...) when ``is_onehot_targets``.

        Raises:
            ValueError: when the two do not fit each other or the options.
        """
        predictions, targets = checked(predictions, targets, self.skip_background, self.is_onehot_targets)
        channels = predictions.shape[1]
        counts = predictions.numel() // channels
        if self.is_independent_predictions or channels == 1:
            add, counts = self._sum_independent, counts * (channels - self.skip_background)
        else:
            add = self._sum_soft if self.is_onehot_targets else self._sum_indices
        return torch.stack([add(*piece) for piece in pieces(predictions, targets)]).sum() / counts

    def _sum_indices(self, predictions: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Add the terms of all voxels, for targets of class indices."""
        channels = predictions.shape[1]
        labels, _ = labels_and_classes(targets, channels)
        logs = log_probabilities(predictions)
        counted = (labels >= int(self.skip_background)) & (labels < channels)
        # a third of the time and memory of a one-hot target; nll_loss has no deterministic form on CUDA
        return (self.term(logs.gather(1, torch.where(counted, labels, 0).long())) * counted).sum()

    def _sum_soft(self, predictions: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Add the terms of all voxels, for targets of one channel per class; one channel at a time to save memory."""
        first = int(self.skip_background)
        weights, logs = targets.to(predictions.dtype), log_probabilities(predictions)
        pairs = list(zip(weights.unbind(dim=1), logs.unbind(dim=1), strict=True))[first:]
        return torch.stack([(weight * self.term(log)).sum() for weight, log in pairs]).sum()

    def _sum_independent(self, predictions: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Add the terms of all voxels and counted channels, each of which is its class or not."""
        if self.is_onehot_targets:
            weights = targets.to(predictions.dtype)
            ahead, behind = log_probabilities(predictions), log_complements(predictions)
            terms = weights * self.term(ahead) + (1.0 - weights) * self.term(behind)
        else:
            labels, classes = labels_and_classes(targets, predictions.shape[1])
            mask = labels == classes.view(1, -1, *[1] * (labels.ndim - 2))
            terms = self.term(log_likelihoods(predictions, mask))
        return terms[:, int(self.skip_background) :].sum()
