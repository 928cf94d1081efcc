"""``ai4med.operations.dropout``: whole channels are set to 0."""

from __future__ import annotations

from typing import Any

import torch

from clara_compat.tensorflow.ai4med_operations.layouts import channel_axis, image
from clara_compat.tensorflow.contrib.shaping import dropped
from clara_compat.tensorflow.registry import register

__all__ = ["spatial_dropout"]


def spatial_dropout(
    x: Any, rate: float = 0.5, training: Any = False, data_format: str = "channels_first"
) -> torch.Tensor:
    """Return feature maps of which, in training, some are 0 as a whole and the others divided by ``1 - rate``.

    Args:
        x: (N, C, spatial...), or (N, spatial..., C), of 2 or 3 spatial axes.
        rate: share of the feature maps of an image that become 0.
        training: whether anything is done.
        data_format: ``channels_first`` or ``channels_last``.
    """
    x = image(x)
    kept = (0, channel_axis(data_format, x.ndim))
    return dropped(x, rate, bool(training), [None if axis in kept else 1 for axis in range(x.ndim)])


register(
    spatial_dropout,
    "ai4med.operations.dropout.spatial_dropout",
    note="assumed: its arguments, and that each image of a batch has its own draw.",
)
