"""``ai4med.operations.upsample``: larger feature maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn import functional as F

from clara_compat.tensorflow.ai4med_operations.layouts import channel_axis, image
from clara_compat.tensorflow.convolution import per_axis
from clara_compat.tensorflow.registry import symbol
from clara_compat.tensorflow.shapes import sizes

__all__ = ["upsample_linear", "upsample_nearest"]


@symbol(
    "ai4med.operations.upsample.upsample_linear",
    note="assumed: its name and arguments, and that it interpolates between the centres of voxels.",
)
def upsample_linear(x: Any, factor: int | Sequence[int] = 2, data_format: str = "channels_first") -> torch.Tensor:
    """Return feature maps made larger by linear interpolation between the centres of voxels.

    Args:
        x: (N, C, spatial...), or (N, spatial..., C), of 2 or 3 spatial axes.
        factor: one for all spatial axes, or one for each.
        data_format: ``channels_first`` or ``channels_last``.
    """
    x = image(x)
    return _larger(x, data_format, factor, "bilinear" if x.ndim == 4 else "trilinear")


@symbol(
    "ai4med.operations.upsample.upsample_nearest",
    note="assumed: beside upsample_linear, with the same arguments.",
)
def upsample_nearest(x: Any, factor: int | Sequence[int] = 2, data_format: str = "channels_first") -> torch.Tensor:
    """Return feature maps in which every voxel is repeated; see :func:`upsample_linear`."""
    return _larger(image(x), data_format, factor, "nearest")


def _larger(x: torch.Tensor, data_format: str, factor: int | Sequence[int], mode: str) -> torch.Tensor:
    axis = channel_axis(data_format, x.ndim)
    first = x.movedim(axis, 1)
    factors = per_axis(sizes(factor), x.ndim - 2, "factor")
    wanted = [int(size) * by for size, by in zip(first.shape[2:], factors, strict=True)]
    aligned = {} if mode == "nearest" else {"align_corners": False}
    return F.interpolate(first, wanted, mode=mode, **aligned).movedim(1, axis)
