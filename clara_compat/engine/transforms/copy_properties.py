"""Copy properties from one image to others."""

from __future__ import annotations

import logging
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform
from monai.transforms.utils import scale_affine

from clara_compat.common.constants import CANONICAL, ImageProperty
from clara_compat.engine import properties as stored
from clara_compat.engine.tensors import plain
from clara_compat.engine.transforms._fields import file_of
from clara_compat.engine.transforms.region import moved
from clara_compat.errors import ClaraError, suggestion

__all__ = ["CopyPropertiesd"]

_logger = logging.getLogger(__name__)


class CopyPropertiesd(MapTransform):
    """Copy the named properties of one image to other images; their voxels and other properties stay.

    ``affine`` is the tensor's affine (RAS mm); the spacing of the images goes with it. Any other name is one of
    Clara's properties (:mod:`clara_compat.engine.properties`). An image of another size than the source is taken to
    cover the same extent, as one does that was restored to its original shape: its affine and spacing are scaled to its
    own grid, which is logged once. Everything else is copied as it is.

    Args:
        keys: fields with the tensors (C, spatial...) to change.
        source_key: field with the ``MetaTensor`` that has the properties.
        properties: names of properties.
        allow_missing_keys: leave out fields an item does not have.

    Raises:
        ClaraError: the source does not have one of the properties.
    """

    def __init__(
        self,
        keys: KeysCollection,
        source_key: str,
        properties: Sequence[str],
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.source_key = source_key
        self._told = False
        self.properties = tuple(CANONICAL[0] if name in CANONICAL else name for name in properties)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the item with the properties copied."""
        d = dict(data)
        source = d[self.source_key]
        known = _known(source)
        for name in self.properties:
            if name not in known:
                has = ", ".join(sorted(known)) or "none at all"
                raise ClaraError(
                    f"field '{self.source_key}' has no property '{name}', it has {has}{suggestion(name, known)} "
                    f"({file_of(source)})"
                )
        copied = {name: known[name] for name in self.properties}
        for key in self.key_iterator(d):
            image = d[key] if isinstance(d[key], MetaTensor) else MetaTensor(d[key])
            d[key] = self._with(image, source, dict(copied))
        return d

    def _with(self, image: MetaTensor, source: torch.Tensor, copied: dict[str, Any]) -> torch.Tensor:
        """Return the image with the copied properties; geometry for its own grid, over the source's extent."""
        affine = copied.pop(ImageProperty.AFFINE, None)
        old, new = tuple(source.shape[1:]), tuple(image.shape[1:])
        if old != new and len(old) == len(new):
            if affine is not None:
                affine = moved(affine, scale_affine(old, new))
            if len(copied.get(ImageProperty.SPACING, ())) == len(new):
                ratios = zip(copied[ImageProperty.SPACING], old, new, strict=True)
                copied[ImageProperty.SPACING] = tuple(float(one) * n / m for one, n, m in ratios)
            if not self._told and (affine is not None or ImageProperty.SPACING in copied):
                self._told = True
                _logger.warning(
                    "CopyProperties: '%s' has %s voxels, its target %s: the geometry is that of the target's grid",
                    self.source_key,
                    old,
                    new,
                )
        return stored.carry(plain(image), image, None if affine is None else affine.clone(), **copied)


def _known(source: torch.Tensor) -> dict[str, Any]:
    """Return the properties of an image, its affine among them; the layout is no property but belongs to the voxels."""
    if not isinstance(source, MetaTensor):
        return {}
    known = {
        ImageProperty.SPACING: stored.affine_spacing(source),
        **stored.read(source),
        ImageProperty.AFFINE: source.affine,
    }
    known.pop(ImageProperty.SHAPE_FORMAT, None)
    for other in CANONICAL[1:]:
        if other in known:
            known.setdefault(CANONICAL[0], known.pop(other))
    return known
