"""Layouts as Clara names them."""

from __future__ import annotations

from typing import Any

import torch

from clara_compat.common.data_format import DataFormat
from clara_compat.tensorflow.convert import as_tensor
from clara_compat.tensorflow.place import refusal

__all__ = ["channel_axis", "image"]


def image(x: Any) -> torch.Tensor:
    """Return a batch of 2-D or 3-D feature maps as a tensor.

    Raises:
        ClaraError: it has neither 4 nor 5 axes.
    """
    tensor = as_tensor(x)
    if tensor.ndim not in (4, 5):
        raise refusal(f"expected a tensor of 4 or 5 axes but got the shape {list(tensor.shape)}")
    return tensor


def channel_axis(data_format: str, ndim: int) -> int:
    """Return the axis of the channels of a tensor of ``ndim`` axes.

    Raises:
        ClaraError: there is no such layout.
    """
    if data_format not in (DataFormat.CHANNELS_FIRST, DataFormat.CHANNELS_LAST):
        raise refusal(f"data_format is {data_format!r}, expected 'channels_first' or 'channels_last'")
    return 1 if data_format == DataFormat.CHANNELS_FIRST else ndim - 1
