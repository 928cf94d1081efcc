"""What transforms ask of the tensors in a field."""

from __future__ import annotations

from collections.abc import Hashable

import torch
from monai.data import MetaTensor

from clara_compat.errors import ClaraError

__all__ = ["file_of", "foreground", "one_channel", "plain", "without_background"]


def plain(tensor: torch.Tensor) -> torch.Tensor:
    """Return the tensor without its metadata; the storage is shared."""
    return tensor.as_tensor() if isinstance(tensor, MetaTensor) else tensor


def file_of(tensor: torch.Tensor) -> str:
    """Return the file a tensor came from, for messages."""
    return str(tensor.meta.get("filename_or_obj", "no file")) if isinstance(tensor, MetaTensor) else "no file"


def one_channel(tensor: torch.Tensor, key: Hashable) -> torch.Tensor:
    """Return the plain tensor (1, spatial...) of a map of labels.

    Raises:
        ClaraError: there is not one channel.
    """
    if len(tensor) != 1:
        raise ClaraError(
            f"field '{key}' has {len(tensor)} channels, expected one channel that holds labels ({file_of(tensor)})"
        )
    return plain(tensor)


def without_background(tensor: torch.Tensor) -> torch.Tensor:
    """Return the channels of a label that are foreground: all, or of a one-hot label all but the first.

    A label is one-hot when its channels sum to 1 on a grid of voxels all over it; channels that overlap or leave voxels
    out (the regions of BraTS) do not.
    """
    label = plain(tensor)
    if len(label) == 1:
        return label
    where = (slice(None), *(slice(None, None, max(1, n // 16)) for n in label.shape[1:]))
    grid = label[where]
    return label[1:] if bool((grid.sum(dim=0) == 1).all()) else label


def foreground(tensor: torch.Tensor) -> torch.Tensor:
    """Return where any foreground channel is above 0: (C, spatial...) to (spatial...), bool."""
    return (without_background(tensor) > 0).any(dim=0)
