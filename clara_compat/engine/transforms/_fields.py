"""What transforms ask of the tensors in a field."""

from __future__ import annotations

from collections.abc import Hashable

import torch
from monai.data import MetaTensor

from clara_compat.errors import ClaraError

__all__ = ["file_of", "foreground", "one_channel", "plain"]


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


def foreground(tensor: torch.Tensor) -> torch.Tensor:
    """Return where any channel is above 0: (C, spatial...) to (spatial...), bool."""
    return (plain(tensor) > 0).any(dim=0)
