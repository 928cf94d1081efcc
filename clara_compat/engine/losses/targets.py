"""What Clara's voxel-wise losses ask of their two tensors."""

from __future__ import annotations

import torch

from clara_compat.engine.networks.activation import widened
from clara_compat.engine.tensors import plain

__all__ = ["checked", "labels_and_classes"]


def checked(
    predictions: torch.Tensor, targets: torch.Tensor, skip_background: bool, is_onehot_targets: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    """Check the two tensors against each other as Clara's loss does, and drop their metadata.

    The first three refusals are those of the published loss (``dice_loss`` of the Clara 3.1 page "Bring your own
    components").

    Args:
        predictions: (N, C, spatial...).
        targets: (N, 1, spatial...) class indices, or (N, C, spatial...) when ``is_onehot_targets``.
        skip_background: leave channel 0 out.
        is_onehot_targets: the targets have one channel per class.

    Returns:
        Both as plain tensors; predictions in float32 or wider.

    Raises:
        ValueError: when they do not fit each other or the options.
    """
    channels, target_channels = predictions.shape[1], targets.shape[1]
    if skip_background and channels == 1:
        raise ValueError("skip_background is true but the prediction has a single channel, so nothing would be left")
    if skip_background and is_onehot_targets and target_channels == 1:
        raise ValueError("skip_background is true but the one-hot target has a single channel")
    if is_onehot_targets and target_channels != channels:
        raise ValueError(
            f"is_onehot_targets is true, so prediction and target need the same number of channels, "
            f"but they have {channels} and {target_channels}"
        )
    if not is_onehot_targets and target_channels != 1:
        raise ValueError(
            f"the target has {target_channels} channels; class indices take one channel: "
            "set is_onehot_targets when the target has one channel per class"
        )
    if predictions.shape[:1] + predictions.shape[2:] != targets.shape[:1] + targets.shape[2:]:
        raise ValueError(
            f"prediction and target differ in size: {list(predictions.shape)} and {list(targets.shape)} "
            "(batch, channels, spatial sizes)"
        )
    return widened(plain(predictions)), plain(targets)


def labels_and_classes(targets: torch.Tensor, channels: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return what to compare for the one-hot form of class indices: ``labels == classes[c]`` is channel c.

    The rule is TensorFlow's: a cast to integer cuts decimals off, and an index below 0 or beyond the last channel
    belongs to no channel. A single channel means a foreground mask instead, every label from 1 upwards being
    foreground: TensorFlow's rule would make the background the only class (clara-3.1 facts, README).

    Args:
        targets: (N, 1, spatial...) class indices of any type.
        channels: number of channels C of the prediction.

    Returns:
        The integral labels (N, 1, spatial...), and the C class indices in the type of the labels.
    """
    labels = targets.to(torch.uint8) if targets.dtype == torch.bool else targets
    if labels.is_floating_point():
        labels = labels.trunc()
    if channels == 1:
        labels = labels.clamp(min=0, max=1)
        return labels, torch.ones(1, dtype=labels.dtype, device=labels.device)
    return labels, torch.arange(channels, dtype=labels.dtype, device=labels.device)
