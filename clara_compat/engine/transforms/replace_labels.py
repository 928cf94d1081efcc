"""Replace the values of labels."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform

from clara_compat.engine import properties
from clara_compat.engine.tensors import plain
from clara_compat.engine.transforms._fields import file_of
from clara_compat.errors import ClaraError

__all__ = ["ReplaceLabelsd"]


class ReplaceLabelsd(MapTransform):
    """Replace values of labels by others, all at the same time; other values stay, and so does the data type.

    ``MapLabelValued`` has one data type for all fields, or takes a way through float64, which rounds int64 beyond 2^53.

    Source: clara-3.1-transforms facts, sections 4.9 and 10.

    Args:
        keys: fields with labels (C, spatial...).
        orig_labels: values to replace, each of them once.
        target_labels: what each of them becomes.
        allow_missing_keys: leave out fields an item does not have.

    Raises:
        ClaraError: the lists differ in length, or a new value does not fit a label's data type.
    """

    def __init__(
        self,
        keys: KeysCollection,
        orig_labels: Sequence[float],
        target_labels: Sequence[float],
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        if len(orig_labels) != len(target_labels):
            raise ClaraError(f"there are {len(orig_labels)} labels to replace by {len(target_labels)} others")
        self.pairs = [(_whole(old), _whole(new)) for old, new in zip(orig_labels, target_labels, strict=True)]

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the item with its labels replaced."""
        d = dict(data)
        for key in self.key_iterator(d):
            before = plain(d[key])
            labels = before.detach().cpu().numpy()
            replaced = labels.copy()
            for old, new in self.pairs:
                if not _holds(labels.dtype, new):
                    raise ClaraError(
                        f"field '{key}' holds labels of type {labels.dtype}, which cannot hold the new label {new} "
                        f"({file_of(d[key])}): load it as another 'dtype'"
                    )
                replaced[labels == old] = new
            d[key] = properties.carry(torch.from_numpy(replaced).to(before.device), d[key])
        return d


def _whole(value: float) -> float:
    """Return a whole number as int, which is compared with whole numbers exactly."""
    return int(value) if float(value).is_integer() else float(value)


def _holds(dtype: np.dtype[Any], value: float) -> bool:
    """Whether a data type has this value; decimals may be rounded by a type that has decimals."""
    if dtype.kind == "f":
        return not isinstance(value, int) or float(dtype.type(value)) == value
    if dtype.kind == "b":
        return value in (0, 1)
    limits = np.iinfo(dtype)
    return isinstance(value, int) and limits.min <= value <= limits.max
