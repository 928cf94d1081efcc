"""Large volumes piece by piece, so that what is computed of them stays small."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch

__all__ = ["slabs"]

_VOXELS = 2**22
"""Voxels that are looked at together: enough to keep a GPU busy, and 32 MB for their class indices."""


def slabs(*volumes: torch.Tensor, voxels: int = _VOXELS) -> Iterator[tuple[torch.Tensor, ...]]:
    """Yield views of volumes of one spatial size, cut along their first spatial axis.

    Args:
        volumes: (N, C, spatial...), or (N, C) which is not cut.
        voxels: at most so many voxels of a channel in a slab, but at least one layer.
    """
    shape = volumes[0].shape
    if len(shape) < 3:
        yield volumes
        return
    layers = max(1, voxels // max(1, shape[0] * math.prod(shape[3:])))
    yield from zip(*(volume.split(layers, dim=2) for volume in volumes), strict=True)
