"""Clara's cross entropy of voxels."""

from __future__ import annotations

import math

import torch

from clara_compat.engine.losses.voxelwise import VoxelwiseLoss

__all__ = ["ClaraCrossEntropyLoss"]


class ClaraCrossEntropyLoss(VoxelwiseLoss):
    """Cross entropy on probabilities: the mean over voxels and samples of ``-log(p + smooth)``.

    The arguments are documented (clara-3.1 engine facts, section 2.2), how they enter is not: ``smooth`` is taken as
    the usual guard of the logarithm. It bounds the loss of a voxel (18.4 for 1e-8) and takes the gradient of a voxel
    away whose p is far below it; with 0 this is ``torch.nn.functional.cross_entropy`` on the logits.

    :meth:`~VoxelwiseLoss.forward` takes probabilities (N, C, spatial...) and class indices (N, 1, spatial...), or with
    ``is_onehot_targets`` targets (N, C, spatial...), and returns a scalar.

    Args:
        skip_background: leave channel 0 out.
        smooth: added to the probability.
        is_onehot_targets: targets have one channel per class; otherwise one channel of class indices.
        is_independent_predictions: every channel is a probability by itself (sigmoid): binary terms, averaged.

    Raises:
        ValueError: when smooth is negative or not finite.

    Example::

        loss = ClaraCrossEntropyLoss()
        loss(torch.softmax(logits, dim=1), label)  # logits (N, C, D, H, W), label (N, 1, D, H, W)
    """

    def __init__(
        self,
        skip_background: bool = False,
        smooth: float = 1e-8,
        is_onehot_targets: bool = False,
        is_independent_predictions: bool = False,
    ) -> None:
        super().__init__(skip_background, is_onehot_targets, is_independent_predictions)
        if not 0 <= smooth < math.inf:
            raise ValueError(f"smooth must be finite and not negative but is {smooth}")
        self.smooth = smooth

    def term(self, log_probability: torch.Tensor) -> torch.Tensor:
        """Return ``-log(p + smooth)`` per voxel.

        Args:
            log_probability: log(p) of the true class, any shape.
        """
        if self.smooth == 0:
            return -log_probability
        return -torch.logaddexp(log_probability, log_probability.new_full((), math.log(self.smooth)))
