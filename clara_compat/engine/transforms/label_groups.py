"""Groups of labels as channels or as fields of their own."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform

from clara_compat.engine import properties
from clara_compat.engine.transforms._fields import one_channel
from clara_compat.errors import ClaraError

__all__ = ["LabelGroupsToChannelsd", "SplitLabelGroupsd"]


class LabelGroupsToChannelsd(MapTransform):
    """Turn a map of labels into one channel per group of labels: 1 where the voxel's label is in the group, else 0.

    Groups may share labels, as the regions of BraTS do: ``[[1, 4], [1, 2, 4], [4]]`` gives tumour core, whole tumour
    and enhancing tumour. ``[[0], [1], [2]]`` is one-hot. A label in no group is 0 in every channel. Unlike
    ``ConvertToMultiChannelBasedOnBratsClassesd`` the groups are free, 2-D images work, and the result is float32.

    Args:
        keys: fields with maps of labels (1, spatial...); the results are (number of groups, spatial...).
        groups: the labels of each channel.
        allow_missing_keys: leave out fields an item does not have.

    Raises:
        ClaraError: no group, an empty group, or a field without exactly one channel.
    """

    def __init__(
        self, keys: KeysCollection, groups: Sequence[Sequence[float]], allow_missing_keys: bool = False
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.groups = _checked(groups)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the item with its labels as channels."""
        d = dict(data)
        for key in self.key_iterator(d):
            labels = one_channel(d[key], key)
            d[key] = properties.carry(torch.cat([_members(labels, group) for group in self.groups]), d[key])
        return d


class SplitLabelGroupsd(MapTransform):
    """Write one new field per group of labels: 1 where the voxel's label is in the group, else 0 (float32).

    The new fields carry affine and metadata of the source, which stays.

    Args:
        key: field with a map of labels (1, spatial...).
        groups: the labels of each new field.
        output_keys: names of the new fields, (1, spatial...) each.
        allow_missing_keys: leave an item without ``key`` as it is.

    Raises:
        ClaraError: names and groups differ in number, an empty group, or a field without exactly one channel.
    """

    def __init__(
        self,
        key: str,
        groups: Sequence[Sequence[float]],
        output_keys: Sequence[str],
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(key, allow_missing_keys)
        self.groups = _checked(groups)
        self.output_keys = tuple(output_keys)
        if len(self.groups) != len(self.output_keys):
            raise ClaraError(f"there are {len(self.groups)} groups of labels for the names {list(output_keys)}")

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the item with its new fields."""
        d = dict(data)
        for key in self.key_iterator(d):
            source, labels = d[key], one_channel(d[key], key)
            for name, group in zip(self.output_keys, self.groups, strict=True):
                d[name] = properties.carry(_members(labels, group), source)
        return d


def _checked(groups: Sequence[Sequence[float]]) -> tuple[tuple[float, ...], ...]:
    if not groups or not all(len(group) for group in groups):
        raise ClaraError(f"the groups of labels are {list(groups)}, expected at least one, each with a label or more")
    return tuple(tuple(group) for group in groups)


def _members(labels: torch.Tensor, group: Sequence[float]) -> torch.Tensor:
    found = labels == group[0]
    for label in group[1:]:
        found |= labels == label
    return found.to(torch.float32)
