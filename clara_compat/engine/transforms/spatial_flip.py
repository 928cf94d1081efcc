"""Flip each spatial axis by itself, in one pass."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform, RandomizableTransform

from clara_compat.engine import properties
from clara_compat.engine.tensors import plain
from clara_compat.engine.transforms.region import moved_affine

__all__ = ["RandSpatialFlipd"]


class RandSpatialFlipd(RandomizableTransform, MapTransform):
    """Flip every spatial axis with probability ``prob``, independently, the same axes for all fields.

    The law is that of one ``RandFlipd`` per axis. This copies each image once instead of once for every axis, and does
    not add to the operations that the tensor it was given records. The affine follows: a voxel keeps its RAS mm.

    Args:
        keys: fields with channel-first tensors (C, spatial...) of one number of axes.
        prob: probability of flipping an axis.
        allow_missing_keys: leave out fields an item does not have.
    """

    def __init__(self, keys: KeysCollection, prob: float = 0.5, allow_missing_keys: bool = False) -> None:
        MapTransform.__init__(self, keys, allow_missing_keys)
        RandomizableTransform.__init__(self, prob=1.0)
        self.axis_prob = prob

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the item with its images flipped."""
        d = dict(data)
        chosen = self.R.random_sample(3) < self.axis_prob
        for key in self.key_iterator(d):
            axes = [axis for axis in range(d[key].ndim - 1) if chosen[axis]]
            if axes:
                d[key] = _flipped(d[key], axes)
        return d


def _flipped(image: torch.Tensor, axes: list[int]) -> torch.Tensor:
    voxels = torch.flip(plain(image), [axis + 1 for axis in axes])
    place = np.eye(image.ndim)
    for axis in axes:
        place[axis, axis], place[axis, -1] = -1, image.shape[axis + 1] - 1
    return properties.carry(voxels, image, moved_affine(image, place))
