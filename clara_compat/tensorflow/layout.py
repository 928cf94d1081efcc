"""Between the channel-first tensors of the engine and the layout that a pipeline declares."""

from __future__ import annotations

import torch

from clara_compat.common.data_format import DataFormat
from clara_compat.common.data_prop import DataProperty

__all__ = ["channel_first", "laid_out", "plain"]

_NO_SPACE = 2
"""Axes of a batch without spatial ones."""


def plain(tensor: torch.Tensor) -> torch.Tensor:
    """Return a tensor without the metadata of MONAI's."""
    return tensor if type(tensor) is torch.Tensor else tensor.as_subclass(torch.Tensor)


def laid_out(tensor: torch.Tensor, data_property: DataProperty) -> torch.Tensor:
    """Return a view of a batch (N, C, spatial...) in the layout that the pipeline declares."""
    last = data_property.data_format == DataFormat.CHANNELS_LAST and tensor.ndim > _NO_SPACE
    return tensor.movedim(1, -1) if last else tensor


def channel_first(tensor: torch.Tensor, data_property: DataProperty) -> torch.Tensor:
    """Return a view (N, C, spatial...) of a batch in the layout that the pipeline declares."""
    last = data_property.data_format == DataFormat.CHANNELS_LAST and tensor.ndim > _NO_SPACE
    return tensor.movedim(-1, 1) if last else tensor
