"""From the raw outputs of a classification network to probabilities."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform

from clara_compat.engine import properties
from clara_compat.engine.tensors import plain
from clara_compat.engine.transforms._fields import file_of
from clara_compat.errors import ClaraError

__all__ = ["ActivatePredictionsd"]


class ActivatePredictionsd(MapTransform):
    """Turn raw outputs into probabilities: sigmoid for a single output, softmax over the outputs of one label.

    Args:
        keys: fields with predictions (outputs,) or (outputs, ...); the results are float32, or float64 when the
            predictions are.
        classes_per_label: how the outputs belong together: for each label 1 (binary, one output) or its number of
            classes (as many outputs). None: all outputs are of one label.
        sigmoid: whether to change single outputs.
        softmax: whether to change groups of outputs.
        allow_missing_keys: leave out fields an item does not have.

    Raises:
        ClaraError: a number below 1, or predictions of another number of outputs.
    """

    def __init__(
        self,
        keys: KeysCollection,
        classes_per_label: Sequence[int] | None = None,
        sigmoid: bool = True,
        softmax: bool = True,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.classes_per_label = None if classes_per_label is None else tuple(classes_per_label)
        self.sigmoid = sigmoid
        self.softmax = softmax
        if self.classes_per_label is not None and min(self.classes_per_label, default=0) < 1:
            raise ClaraError(
                f"the classes per label are {list(classes_per_label or [])}, expected numbers of at least 1"
            )

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the item with its predictions as probabilities."""
        d = dict(data)
        for key in self.key_iterator(d):
            d[key] = properties.carry(self._activated(d[key], key), d[key])
        return d

    def _activated(self, predictions: torch.Tensor, key: Hashable) -> torch.Tensor:
        if predictions.ndim == 0:
            raise ClaraError(f"field '{key}' holds a single number, expected predictions with an axis of outputs")
        sizes = self.classes_per_label or (len(predictions),)
        if sum(sizes) != len(predictions):
            raise ClaraError(
                f"field '{key}' has {len(predictions)} outputs, but the labels have {list(sizes)} classes, which makes "
                f"{sum(sizes)} ({file_of(predictions)})"
            )
        values = plain(predictions)
        values = values if values.dtype == torch.float64 else values.to(torch.float32)
        return torch.cat([self._probabilities(outputs) for outputs in values.split(list(sizes))])

    def _probabilities(self, outputs: torch.Tensor) -> torch.Tensor:
        if len(outputs) == 1:
            return outputs.sigmoid() if self.sigmoid else outputs
        return outputs.softmax(dim=0) if self.softmax else outputs
