"""The channels of an image as fields of their own."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from monai.transforms import MapTransform

from clara_compat.engine import properties
from clara_compat.engine.tensors import plain
from clara_compat.engine.transforms._fields import file_of
from clara_compat.errors import ClaraError

__all__ = ["SplitChannelsd"]


class SplitChannelsd(MapTransform):
    """Write each channel of an image into a field of its own; the source stays.

    The new fields carry affine, metadata and data type of the source. Unlike ``SplitDimd`` the names are free, and
    each field is a copy: a view would keep all channels in memory, and send them all to another process.

    Args:
        key: field with an image (C, spatial...).
        output_keys: one name per channel; the new fields are (1, spatial...).
        allow_missing_keys: leave an item without ``key`` as it is.

    Raises:
        ClaraError: the image has another number of channels.
    """

    def __init__(self, key: str, output_keys: Sequence[str], allow_missing_keys: bool = False) -> None:
        super().__init__(key, allow_missing_keys)
        self.output_keys = tuple(output_keys)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the item with its new fields."""
        d = dict(data)
        for key in self.key_iterator(d):
            image = d[key]
            if len(image) != len(self.output_keys):
                raise ClaraError(
                    f"field '{key}' has {len(image)} channels, but there are {len(self.output_keys)} names: "
                    f"{', '.join(self.output_keys)} ({file_of(image)})"
                )
            for index, name in enumerate(self.output_keys):
                d[name] = properties.carry(plain(image)[index : index + 1].clone(), image)
        return d
