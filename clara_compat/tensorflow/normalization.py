"""Batch normalisation as TensorFlow 1 does it."""

from __future__ import annotations

import torch

__all__ = ["batch_normalization"]


def batch_normalization(
    inputs: torch.Tensor,
    moving_mean: torch.Tensor,
    moving_variance: torch.Tensor,
    gamma: torch.Tensor | None,
    beta: torch.Tensor | None,
    *,
    axis: int,
    training: bool,
    momentum: float,
    epsilon: float,
    update: bool = True,
    unbiased: bool | None = None,
) -> torch.Tensor:
    """Normalise over all axes but one.

    The moving averages take ``1 - momentum`` of the batch's values. TensorFlow's fused kernel, which runs for four
    axes, puts the unbiased variance there, the other one the biased; the output is always made with the biased.

    Args:
        inputs: any tensor of two axes or more.
        moving_mean: changed in place.
        moving_variance: changed in place.
        gamma: scale, or None.
        beta: offset, or None.
        axis: of the channels.
        training: use the batch's values rather than the moving averages.
        momentum: what the averages keep of their old values.
        epsilon: added to the variance.
        update: whether the averages change in training.
        unbiased: which variance the average takes; None: by the number of axes.
    """
    first = inputs.movedim(axis, 1) if axis % inputs.ndim != 1 else inputs
    if not training:
        result = torch.batch_norm(
            first, gamma, beta, moving_mean, moving_variance, False, 0.0, epsilon, torch.backends.cudnn.enabled
        )
    else:
        mean, variance = torch.zeros_like(moving_mean), torch.zeros_like(moving_variance)
        result = torch.batch_norm(first, gamma, beta, mean, variance, True, 1.0, epsilon, torch.backends.cudnn.enabled)
        if update:
            count = first.numel() // first.shape[1]
            if count == 1:
                variance = torch.zeros_like(variance)
            elif not (first.ndim == 4 if unbiased is None else unbiased):
                variance = variance * ((count - 1) / count)
            with torch.no_grad():
                moving_mean.lerp_(mean, 1.0 - momentum)
                moving_variance.lerp_(variance, 1.0 - momentum)
    return result.movedim(1, axis) if first is not inputs else result
