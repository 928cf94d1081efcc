"""The intensity augmentation of the BraTS 2018 winner."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform, RandomizableTransform

from clara_compat.engine import properties
from clara_compat.engine.tensors import plain

__all__ = ["RandScaleShiftIntensityd"]


class RandScaleShiftIntensityd(RandomizableTransform, MapTransform):
    """Scale every channel by ``1 + U(-scale, scale)``, then shift it by ``U(-shift, shift)`` of its standard deviation.

    All draws are independent: per field, per channel, and scale from shift. The standard deviation is the population
    one of the scaled channel. Source: clara-3.1-transforms facts, section 4.5; A. Myronenko, "3D MRI brain tumor
    segmentation using autoencoder regularization" (BraTS 2018): per-channel random scale in 0.9..1.1 and shift in
    -0.1..0.1 of the image's standard deviation.

    MONAI's ``RandScaleIntensityd`` and ``RandStdShiftIntensityd`` in a row draw one shift for all channels and fields,
    and the second one writes into the tensor it is given.

    Args:
        keys: fields with channel-first tensors (C, spatial...).
        scale: half width of the scale's range; at least 0.
        shift: half width of the shift's range, in standard deviations; at least 0.
        prob: probability of changing an item; one draw for all fields.
        allow_missing_keys: leave out fields an item does not have.
    """

    def __init__(
        self,
        keys: KeysCollection,
        scale: float = 0.1,
        shift: float = 0.1,
        prob: float = 1.0,
        allow_missing_keys: bool = False,
    ) -> None:
        MapTransform.__init__(self, keys, allow_missing_keys)
        RandomizableTransform.__init__(self, prob)
        if scale < 0 or shift < 0:
            raise ValueError(f"scale and shift must be at least 0, got {scale} and {shift}")
        self.scale = scale
        self.shift = shift

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the item with its images scaled and shifted."""
        d = dict(data)
        self.randomize(None)
        for key in self.key_iterator(d):
            scales, shifts = self._draw(len(d[key]))
            if self._do_transform:
                d[key] = _changed(d[key], scales, shifts)
        return d

    def _draw(self, channels: int) -> tuple[Any, Any]:
        scales = 1.0 + self.R.uniform(-self.scale, self.scale, channels)
        return scales, self.R.uniform(-self.shift, self.shift, channels)


def _changed(image: torch.Tensor, scales: Any, shifts: Any) -> torch.Tensor:
    voxels = plain(image)
    if not voxels.is_floating_point():
        voxels = voxels.to(torch.float32)
    column = (-1, *[1] * (voxels.ndim - 1))
    scale, shift = (torch.from_numpy(np.asarray(one)).to(voxels).reshape(column) for one in (scales, shifts))
    deviation = voxels.std(dim=tuple(range(1, voxels.ndim)), keepdim=True, correction=0)
    return properties.carry((voxels * scale).add_(shift * scale.abs() * deviation), image)
