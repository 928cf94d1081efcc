"""Large volumes piece by piece, so that what is computed of them stays small."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch

__all__ = ["pieces", "slabs"]

_VOXELS = 2**23
"""Voxels that are looked at together, all channels counted: enough to keep a GPU busy, and few megabytes."""


def slabs(*volumes: torch.Tensor, voxels: int = _VOXELS) -> Iterator[tuple[torch.Tensor, ...]]:
    """Yield views of volumes of one spatial size, cut along their first spatial axis; a small one as it is.

    Args:
        volumes: (N, C, spatial...), or (N, C) which is not cut.
        voxels: at most so many voxels of the first volume in a slab, all channels counted, but at least one layer.
    """
    shape = volumes[0].shape
    if len(shape) < 3 or volumes[0].numel() <= voxels:
        yield volumes
        return
    layers = max(1, voxels // (shape[0] * shape[1] * math.prod(shape[3:])))
    yield from zip(*(volume.split(layers, dim=2) for volume in volumes), strict=True)


def pieces(*volumes: torch.Tensor) -> Iterator[tuple[torch.Tensor, ...]]:
    """Yield the volumes slab by slab where no gradient is kept, as in a validation, and else as they are.

    For sums over voxels of what is computed of each: in training the steps of every slab would only be kept beside one
    another.

    Args:
        volumes: (N, C, spatial...).
    """
    yield from [volumes] if torch.is_grad_enabled() else slabs(*volumes)
