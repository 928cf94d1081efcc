"""Keep the largest connected object of a label."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.transforms import MapTransform

from clara_compat.common.transform_helper import largest_connected_component
from clara_compat.engine import properties
from clara_compat.engine.tensors import plain

__all__ = ["KeepLargestComponentd"]


class KeepLargestComponentd(MapTransform):
    """Set everything to 0 but the connected object of the most voxels, in every channel by itself.

    Voxels above 0 are foreground, whatever their label; voxels that share a face, an edge or a corner are connected.
    Of objects of the same size the first one in the array's order stays. ``KeepLargestConnectedComponentd`` needs
    scikit-image and writes into the tensor it is given.

    Args:
        keys: fields with tensors (C, spatial...); the data type stays.
        allow_missing_keys: leave out fields an item does not have.
    """

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the item with one object per channel."""
        d = dict(data)
        for key in self.key_iterator(d):
            label = plain(d[key])
            kept = [torch.from_numpy(largest_connected_component(one)) for one in label.detach().cpu().numpy()]
            d[key] = properties.carry(torch.stack(kept).to(label.device), d[key])
        return d
