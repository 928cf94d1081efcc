"""Clara's focal loss."""

from __future__ import annotations

import math

import torch

from clara_compat.engine.losses.voxelwise import VoxelwiseLoss

__all__ = ["ClaraFocalLoss"]


class ClaraFocalLoss(VoxelwiseLoss):
    """Focal loss on probabilities: the mean over voxels and samples of ``-alpha (1 - p)^gamma log(p)``.

    NVIDIA documented neither the formula nor the defaults (clara-3.1 engine facts, section 2.2): they are those of the
    paper (Lin et al. 2017), with alpha as a plain factor. ``monai.losses.FocalLoss`` takes logits.

    Args:
        skip_background: leave channel 0 out.
        gamma: exponent, 0 for cross entropy.
        alpha: factor.
        is_onehot_targets: targets have one channel per class; otherwise one channel of class indices.
        is_independent_predictions: every channel is a probability by itself (sigmoid): binary terms, averaged.

    Raises:
        ValueError: when gamma is negative, or gamma or alpha not finite.

    Example::

        loss = ClaraFocalLoss()
        loss(torch.softmax(logits, dim=1), label)  # logits (N, C, D, H, W), label (N, 1, D, H, W)
    """

    def __init__(
        self,
        skip_background: bool = False,
        gamma: float = 2.0,
        alpha: float = 0.25,
        is_onehot_targets: bool = False,
        is_independent_predictions: bool = False,
    ) -> None:
        super().__init__(skip_background, is_onehot_targets, is_independent_predictions)
        if not (0 <= gamma < math.inf and math.isfinite(alpha)):
            raise ValueError(f"gamma and alpha must be finite and gamma not negative, but they are {gamma} and {alpha}")
        self.gamma = gamma
        self.alpha = alpha

    def forward(self, predictions: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Return the loss, a scalar; arguments and errors are those of :class:`VoxelwiseLoss`."""
        return self.alpha * super().forward(predictions, targets)

    def term(self, log_probability: torch.Tensor) -> torch.Tensor:
        """Return ``-(1 - p)^gamma log(p)`` per voxel.

        Args:
            log_probability: log(p) of the true class, any shape.
        """
        if self.gamma == 0:
            return -log_probability
        tiny = torch.finfo(log_probability.dtype).tiny  # a root has no gradient at 0
        return -((-torch.expm1(log_probability)).clamp(min=tiny) ** self.gamma) * log_probability
