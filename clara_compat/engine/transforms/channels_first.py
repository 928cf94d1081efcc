"""Say that an image has its channel in front."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform

from clara_compat.common.constants import ImageProperty
from clara_compat.common.shape_format import ShapeFormat
from clara_compat.engine import properties

__all__ = ["ConvertToChannelsFirstd"]


class ConvertToChannelsFirstd(MapTransform):
    """Change the legacy layout label of images to the channels-first one; no data moves.

    The engine's images are channel-first at all times, whatever layout legacy code is shown (rule 1 of the house):
    ``DHW`` and ``DHWC`` become ``CDHW``, ``HW`` and ``HWC`` become ``CHW``, channels-first ones stay.
    Source: clara-3.1-transforms facts, section 4.2.

    Args:
        keys: fields with channel-first tensors (C, spatial...).
        allow_missing_keys: leave out fields an item does not have.
    """

    def __init__(self, keys: KeysCollection, allow_missing_keys: bool = False) -> None:
        super().__init__(keys, allow_missing_keys)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the item with its images relabelled."""
        d = dict(data)
        for key in self.key_iterator(d):
            d[key] = self._relabelled(d[key])
        return d

    @staticmethod
    def _relabelled(tensor: torch.Tensor) -> torch.Tensor:
        known = properties.read(tensor).get(ImageProperty.SHAPE_FORMAT)
        if known is None:  # not from a legacy loader: nothing but channel-first is possible, and nothing else is said
            return tensor
        shape_format = ShapeFormat(known).with_channels_first()
        if shape_format == known:
            return tensor
        plain = tensor.as_tensor()  # type: ignore[attr-defined]  # what has properties is a MetaTensor
        return properties.carry(plain, tensor, shape_format=str(shape_format))
