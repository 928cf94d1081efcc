"""Groups of labels as channels or as fields of their own."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform

from clara_compat.engine import properties
from clara_compat.engine.transforms._fields import channelled, file_of, one_channel
from clara_compat.errors import ClaraError

__all__ = ["LabelGroupsToChannelsd", "LabelsToOneHotd", "SplitLabelGroupsd"]


class LabelGroupsToChannelsd(MapTransform):
    """Turn a map of labels into one channel per group of labels: 1 where the voxel's label is in the group, else 0.

    Groups may share labels, as the regions of BraTS do: ``[[1, 4], [1, 2, 4], [4]]`` gives tumour core, whole tumour
    and enhancing tumour. A label in no group is 0 in every channel. An image that legacy code saw without a channel
    axis is labelled channels-first, also when there is one group. Unlike
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
            members = torch.cat([_members(labels, group) for group in self.groups])
            d[key] = properties.carry(members, d[key], **channelled(d[key]))
        return d


class LabelsToOneHotd(MapTransform):
    """Turn a map of the labels 0 to ``num_classes`` - 1 into one channel per label: 1 where the voxel is of it, else 0.

    The result is float32; decimals of a label are cut off. An image that legacy code saw without a channel axis is
    labelled channels-first. ``AsDiscreted(to_onehot=...)`` has the same mathematics, but says of a label beyond the
    classes no more than an index out of bounds.

    Args:
        keys: fields with maps of labels (1, spatial...); the results are (num_classes, spatial...).
        num_classes: number of labels, background among them.
        allow_missing_keys: leave out fields an item does not have.

    Raises:
        ClaraError: there is less than one class, a field has not exactly one channel, or a label is out of range.
    """

    def __init__(self, keys: KeysCollection, num_classes: int, allow_missing_keys: bool = False) -> None:
        super().__init__(keys, allow_missing_keys)
        if num_classes < 1:
            raise ClaraError(f"the number of classes must be at least 1, got {num_classes}")
        self.num_classes = num_classes

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the item with its labels as channels."""
        d = dict(data)
        for key in self.key_iterator(d):
            labels = one_channel(d[key], key)
            indices = labels.to(torch.int64)
            outside = (indices < 0) | (indices >= self.num_classes)
            if outside.any():
                raise ClaraError(
                    f"field '{key}' has the label {labels[outside][0].item():g}, expected whole numbers from 0 to "
                    f"{self.num_classes - 1} for num_classes {self.num_classes} ({file_of(d[key])})"
                )
            one_hot = torch.zeros((self.num_classes, *labels.shape[1:]), device=labels.device)
            d[key] = properties.carry(one_hot.scatter_(0, indices, 1.0), d[key], **channelled(d[key]))
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
