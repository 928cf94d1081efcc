"""Voxel counts of predictions and labels, by class, without masks or one-hot forms of whole volumes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from clara_compat.engine.losses.targets import labels_and_classes
from clara_compat.engine.slabs import slabs
from clara_compat.errors import ClaraError

__all__ = ["Masks", "check_fit", "class_masks", "largest", "overlaps", "thresholded"]

Masks = Callable[[torch.Tensor], Callable[[int], torch.Tensor]]
"""Makes of predictions (N, C, spatial...) the mask of a channel, (N, spatial...)."""


def thresholded(threshold: float) -> Masks:
    """Return the masks of channels that are thresholded each by itself (``>=``).

    Args:
        threshold: from which value on a voxel belongs to a channel.
    """
    return lambda predictions: lambda channel: predictions[:, channel] >= threshold


def largest(predictions: torch.Tensor) -> Callable[[int], torch.Tensor]:
    """Return the masks of channels of which the greatest wins a voxel, the first of equals.

    Args:
        predictions: (N, C, spatial...).
    """
    index = predictions.argmax(dim=1)
    return lambda channel: index == channel


def class_masks(labels: torch.Tensor, channels: int, is_one_hot: bool) -> Callable[[int], torch.Tensor]:
    """Return the masks of the classes of labels, (N, spatial...).

    Args:
        labels: (N, 1, spatial...) class indices, or (N, C, spatial...) one-hot, of which values from 0.5 count.
        channels: channels of the prediction; with a single one every index from 1 upwards is its class.
        is_one_hot: which of the two.
    """
    if is_one_hot:
        return lambda channel: labels[:, channel] >= 0.5
    indices, classes = labels_and_classes(labels, channels)
    return lambda channel: indices[:, 0] == classes[channel]


def overlaps(
    predictions: torch.Tensor,
    labels: torch.Tensor,
    masks: Masks,
    channels: Sequence[int],
    *,
    is_one_hot: bool,
    by_slice: bool = False,
) -> torch.Tensor:
    """Count, per case and class, the voxels that are predicted and true, predicted, and true.

    Args:
        predictions: (N, C, spatial...).
        labels: as in :func:`class_masks`, on the same device.
        masks: what is predicted.
        channels: the channels that are counted.
        is_one_hot: the labels have one channel per class.
        by_slice: count every slice along the last axis of a volume by itself.

    Returns:
        (N, len(channels), 3), with ``by_slice`` (N, len(channels), 3, slices); integers on the device.
    """
    total: torch.Tensor | None = None
    for values, targets in slabs(predictions, labels):
        predicted_of, true_of = masks(values), class_masks(targets, predictions.shape[1], is_one_hot)
        axes = list(range(1, values.ndim - 1 - by_slice))
        counts = []
        for channel in channels:
            predicted, true = predicted_of(channel), true_of(channel)
            three = [_count(mask, axes) for mask in (predicted & true, predicted, true)]
            counts.append(torch.stack(three, dim=1))
        found = torch.stack(counts, dim=1)
        total = found if total is None else total + found
    if total is None:
        raise ClaraError("a volume without voxels has no overlap")
    return total


def check_fit(
    name: str,
    predictions: torch.Tensor,
    labels: torch.Tensor,
    is_one_hot: bool,
    *,
    argument: str = "is_onehot_targets",
    label: str = "the label",
) -> None:
    """Check that labels fit predictions.

    Args:
        name: whose they are, for the message.
        predictions: (N, C, spatial...).
        labels: (N, 1, spatial...), or (N, C, spatial...) when ``is_one_hot``.
        is_one_hot: the labels have one channel per class.
        argument: what the user calls that.
        label: what the user calls the labels.

    Raises:
        ClaraError: other channels than expected, or another size; begins with ``name``.
    """
    expected = predictions.shape[1] if is_one_hot else 1
    if labels.shape[1] != expected:
        raise ClaraError(
            f"{name}: {label} has {labels.shape[1]} channels, expected {expected} with "
            f"{argument} {str(is_one_hot).lower()}"
        )
    if predictions.shape[:1] + predictions.shape[2:] != labels.shape[:1] + labels.shape[2:]:
        raise ClaraError(
            f"{name}: prediction {list(predictions.shape)} and {label} {list(labels.shape)} differ in size"
        )


def _count(mask: torch.Tensor, axes: list[int]) -> torch.Tensor:
    return torch.count_nonzero(mask, dim=axes) if axes else mask.long()
