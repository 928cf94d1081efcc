"""Say where legacy code sees an image's channel axis; inside it is in front at all times."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform

from clara_compat.common.constants import ImageProperty
from clara_compat.common.shape_format import ShapeFormat
from clara_compat.engine import properties

__all__ = ["ConvertToChannelsFirstd", "ConvertToChannelsLastd", "LabelChannelsd"]


class LabelChannelsd(MapTransform):
    """Give images without a channel axis one in front, by their legacy layout label; no data moves.

    The engine's images are channel-first at all times, whatever layout legacy code is shown (rule 1 of the house):
    ``DHW`` becomes ``CDHW``, ``HW`` becomes ``CHW``, images with a channel axis stay. An image without a label (from
    no legacy loader) passes: it is taken for channel-first anyway.

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

    def label(self, known: ShapeFormat) -> ShapeFormat:
        """Return the new label."""
        return known if known.is_channeled() else known.with_channels_first()

    def _relabelled(self, tensor: torch.Tensor) -> torch.Tensor:
        known = properties.read(tensor).get(ImageProperty.SHAPE_FORMAT)
        if known is None:  # a model's output: channels-first as every tensor
            known = ShapeFormat.CDHW if tensor.ndim == 4 else ShapeFormat.CHW
            if self.label(ShapeFormat(known)) == known:
                return tensor
            tensor = tensor if isinstance(tensor, MetaTensor) else MetaTensor(tensor)
        shape_format = self.label(ShapeFormat(known))
        if shape_format == known:
            return tensor
        plain = tensor.as_tensor()  # type: ignore[attr-defined]  # what has properties is a MetaTensor
        return properties.carry(plain, tensor, shape_format=str(shape_format))


class ConvertToChannelsFirstd(LabelChannelsd):
    """Label images channels-first: ``DHW`` and ``DHWC`` become ``CDHW``, ``HW`` and ``HWC`` become ``CHW``.

    No data moves. Source: clara-3.1-transforms facts, section 4.2.

    Args:
        keys: fields with channel-first tensors (C, spatial...).
        allow_missing_keys: leave out fields an item does not have.
    """

    def label(self, known: ShapeFormat) -> ShapeFormat:
        """Return the channels-first label."""
        return known.with_channels_first()


class ConvertToChannelsLastd(LabelChannelsd):
    """Label images channels-last: ``DHW`` and ``CDHW`` become ``DHWC``, ``HW`` and ``CHW`` become ``HWC``.

    No data moves. Source: clara-3.1-transforms facts, section 4.2.

    Args:
        keys: fields with channel-first tensors (C, spatial...).
        allow_missing_keys: leave out fields an item does not have.
    """

    def label(self, known: ShapeFormat) -> ShapeFormat:
        """Return the channels-last label."""
        return known.with_channels_last()
