"""Tensors without what MONAI hangs on them."""

from __future__ import annotations

import torch
from monai.data import MetaTensor

__all__ = ["plain"]


def plain(tensor: torch.Tensor) -> torch.Tensor:
    """Return the tensor without its metadata; the storage is shared.

    Args:
        tensor: a tensor, with metadata or without.
    """
    return tensor.as_tensor() if isinstance(tensor, MetaTensor) else tensor
