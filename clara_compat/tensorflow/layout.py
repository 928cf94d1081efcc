"""Between the channel-first tensors of the engine and the layout that a pipeline declares."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from clara_compat.common.data_format import DataFormat
from clara_compat.common.data_prop import DataProperty

__all__ = ["channel_first", "label_shape", "laid_out", "plain"]

_NO_SPACE = 2
"""Axes of a batch without spatial ones."""


def plain(tensor: torch.Tensor) -> torch.Tensor:
    """Return a tensor without the metadata of MONAI's."""
    as_tensor = getattr(tensor, "as_tensor", None)  # MetaTensor's; other subclasses, as torch.export's, must stay
    found: torch.Tensor = tensor if as_tensor is None else as_tensor()
    return found


def laid_out(tensor: torch.Tensor, data_property: DataProperty) -> torch.Tensor:
    """Return a view of a batch (N, C, spatial...) in the layout that the pipeline declares."""
    last = data_property.data_format == DataFormat.CHANNELS_LAST and tensor.ndim > _NO_SPACE
    return tensor.movedim(1, -1) if last else tensor


def channel_first(tensor: torch.Tensor, data_property: DataProperty) -> torch.Tensor:
    """Return a view (N, C, spatial...) of a batch in the layout that the pipeline declares."""
    last = data_property.data_format == DataFormat.CHANNELS_LAST and tensor.ndim > _NO_SPACE
    return tensor.movedim(-1, 1) if last else tensor


def label_shape(data_property: DataProperty, shape: Sequence[int]) -> tuple[int, ...]:
    """Return the shape of the label of a batch.

    Args:
        data_property: what the pipeline says of its data.
        shape: of the batch's images or predictions, (N, C, spatial...).
    """
    if data_property.label_format is not None:
        return (shape[0], data_property.label_format.get_number_of_labels())
    return (shape[0], data_property.num_label_channels, *shape[2:])
