"""Batch normalisation as TensorFlow 1 does it."""

from __future__ import annotations

from collections.abc import Callable

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
    updates: list[Callable[[], None]] | None = None,
) -> torch.Tensor:
    """Normalise over all axes but one.

    The moving averages take ``1 - momentum`` of the batch's values. TensorFlow 1's fused kernel, which runs for four
    axes, puts the unbiased variance there, the other one the biased; the output is always made with the biased. (The
    fused kernel of TensorFlow 2 runs for five axes too.)

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
        updates: takes a function that changes the averages, instead of its being called.
    """
    first = inputs.movedim(axis, 1) if axis % inputs.ndim != 1 else inputs
    cudnn = torch.backends.cudnn.enabled
    if not training:
        result = torch.batch_norm(first, gamma, beta, moving_mean, moving_variance, False, 0.0, epsilon, cudnn)
    else:
        mean, variance = torch.zeros_like(moving_mean), torch.zeros_like(moving_variance)
        result = torch.batch_norm(first, gamma, beta, mean, variance, True, 1.0, epsilon, cudnn)
        count = first.numel() // first.shape[1]
        fused = first.ndim == 4 if unbiased is None else unbiased

        def change() -> None:
            found = variance  # torch gives the unbiased one, which a single value does not have
            if count == 1:
                found = torch.zeros_like(variance)
            elif not fused:
                found = variance * ((count - 1) / count)
            with torch.no_grad():
                moving_mean.lerp_(mean, 1.0 - momentum)
                moving_variance.lerp_(found, 1.0 - momentum)

        if updates is not None:
            updates.append(change)
        elif update:
            change()
    return result.movedim(1, axis) if first is not inputs else result
