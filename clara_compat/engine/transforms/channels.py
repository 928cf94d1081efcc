"""Say where legacy code sees an image's channel axis; inside it is in front at all times."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, ClassVar

import torch
from monai.data import MetaTensor
from monai.transforms import MapTransform

from clara_compat.common.constants import ImageProperty
from clara_compat.common.shape_format import ShapeFormat
from clara_compat.engine import properties
from clara_compat.engine.tensors import plain

__all__ = ["ConvertToChannelsFirstd", "ConvertToChannelsLastd", "LabelChannelsd"]

_UNLABELLED = {3: ShapeFormat.CHW, 4: ShapeFormat.CDHW}
"""How legacy code sees an image of so many axes without a label; other tensors, say a value per class, are none."""


class LabelChannelsd(MapTransform):
    """Give images without a channel axis one in front, by their legacy layout label; no data moves.

    The engine's images are channel-first at all times, whatever layout legacy code is shown:
    ``DHW`` becomes ``CDHW``, ``HW`` becomes ``CHW``, images with a channel axis stay. An image without a label, such as
    a network's output, is seen channels-first anyway and passes.

    Args:
        keys: fields with channel-first tensors (C, spatial...).
        allow_missing_keys: leave out fields an item does not have.
    """

    labels_all: ClassVar[bool] = False
    """Whether an image without a label gets one; a plain tensor becomes a ``MetaTensor`` then."""

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the item with its images relabelled."""
        d = dict(data)
        for key in self.key_iterator(d):
            d[key] = self._relabelled(d[key])
        return d

    def label(self, known: ShapeFormat) -> ShapeFormat:
        """Return the new label.

        Args:
            known: the label that the image has.
        """
        return known if known.is_channeled() else known.with_channels_first()

    def _relabelled(self, tensor: torch.Tensor) -> torch.Tensor:
        known = properties.read(tensor).get(ImageProperty.SHAPE_FORMAT)
        shown = known or (_UNLABELLED.get(tensor.ndim) if self.labels_all else None)
        if shown is None:
            return tensor
        shape_format = self.label(ShapeFormat(shown))
        if shape_format == known:
            return tensor
        source = tensor if isinstance(tensor, MetaTensor) else MetaTensor(tensor)
        return properties.carry(plain(tensor), source, shape_format=str(shape_format))


class ConvertToChannelsFirstd(LabelChannelsd):
    """Label images channels-first: ``DHW`` and ``DHWC`` become ``CDHW``, ``HW`` and ``HWC`` become ``CHW``.

    No data moves. An image without a label, such as a network's output, gets one. Source: clara-3.1-transforms facts,
    section 4.2.

    Args:
        keys: fields with channel-first tensors (C, spatial...).
        allow_missing_keys: leave out fields an item does not have.
    """

    labels_all = True

    def label(self, known: ShapeFormat) -> ShapeFormat:
        """Return the channels-first label."""
        return known.with_channels_first()


class ConvertToChannelsLastd(LabelChannelsd):
    """Label images channels-last: ``DHW`` and ``CDHW`` become ``DHWC``, ``HW`` and ``CHW`` become ``HWC``.

    No data moves. An image without a label, such as a network's output, gets one. Source: clara-3.1-transforms facts,
    section 4.2.

    Args:
        keys: fields with channel-first tensors (C, spatial...).
        allow_missing_keys: leave out fields an item does not have.
    """

    labels_all = True

    def label(self, known: ShapeFormat) -> ShapeFormat:
        """Return the channels-last label."""
        return known.with_channels_last()
