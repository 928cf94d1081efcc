"""Auxiliary operations of segmentation: Dice, and what the network says inside each class."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from typing import Any

import torch
from monai.utils import CommonKeys

from clara_compat.engine.overlap import Masks, check_fit, class_masks, largest, overlaps, thresholded
from clara_compat.engine.slabs import slabs
from clara_compat.engine.tensors import plain
from clara_compat.errors import ClaraError

__all__ = ["DiceOutputs", "MeanInsideClasses"]


class _PerClass:
    """Puts a number per case and class under tags: the first is the mean of all, further ones that of each class.

    Args:
        tags: one, or one more than there are counted channels.
        skip_background: leave channel 0 out.
        is_onehot_targets: the label has one channel per class.
        do_summary: average over a training epoch for TensorBoard.
        do_print: the same for the console.
    """

    def __init__(
        self,
        tags: Sequence[str],
        skip_background: bool = False,
        is_onehot_targets: bool = False,
        do_summary: bool = True,
        do_print: bool = True,
    ) -> None:
        self.tags = list(tags)
        self.skip_background = skip_background
        self.is_onehot_targets = is_onehot_targets
        self.do_summary = do_summary
        self.do_print = do_print

    def __call__(self, output: MutableMapping[str, Any]) -> dict[str, torch.Tensor]:
        """Return the means over the cases whose label has the class; nan where none has it."""
        predictions, labels = (plain(output[key]) for key in (CommonKeys.PRED, CommonKeys.LABEL))
        name = f"aux_ops '{self.tags[0]}'"
        labels = labels.to(predictions.device)
        check_fit(name, predictions, labels, self.is_onehot_targets)
        channels = range(int(self.skip_background), predictions.shape[1])
        if not channels:
            raise ClaraError(f"{name}: skip_background leaves nothing of a prediction with a single channel")
        if len(self.tags) not in (1, 1 + len(channels)):
            raise ClaraError(
                f"{name}: {len(self.tags)} tags for {len(channels)} counted channels, expected one tag for the mean, "
                f"or {1 + len(channels)} for the mean and each channel"
            )
        values = self._values(predictions, labels, channels)
        found = [values.nanmean(), *values.nanmean(dim=0)]
        return dict(zip(self.tags, found[: len(self.tags)], strict=True))

    def _values(self, predictions: torch.Tensor, labels: torch.Tensor, channels: range) -> torch.Tensor:
        """Return a number per case and class, nan where the case's label does not have the class."""
        raise NotImplementedError


class DiceOutputs(_PerClass):
    """The Dice of the masks a prediction makes, ``2 |P and T| / (|P| + |T|)`` per case and class.

    Classes that are absent from a case's label are masked out of the means (Clara's ``DiceMaskedOutput``), or with
    ``masked`` false count as 0, and as 1 when they are absent from the prediction too. Names: clara-3.1 engine facts,
    section 2.7; the rest is assumed.

    Args:
        tags: one for the mean over cases and classes, or further ones for each class.
        skip_background: leave channel 0 out.
        is_onehot_targets: the label has one channel per class.
        is_independent_predictions: channels may overlap and are thresholded at 0.5; otherwise a voxel belongs to its
            greatest channel. A single channel is thresholded in any case.
        masked: leave absent classes out.
        do_summary: average over a training epoch for TensorBoard.
        do_print: the same for the console.
    """

    def __init__(
        self,
        tags: Sequence[str],
        skip_background: bool = False,
        is_onehot_targets: bool = False,
        is_independent_predictions: bool = False,
        masked: bool = True,
        do_summary: bool = True,
        do_print: bool = True,
    ) -> None:
        super().__init__(tags, skip_background, is_onehot_targets, do_summary, do_print)
        self.is_independent_predictions = is_independent_predictions
        self.masked = masked

    def _values(self, predictions: torch.Tensor, labels: torch.Tensor, channels: range) -> torch.Tensor:
        alone = self.is_independent_predictions or predictions.shape[1] == 1
        masks: Masks = thresholded(0.5) if alone else largest
        counts = overlaps(predictions, labels, masks, channels, is_one_hot=self.is_onehot_targets)
        both, predicted, true = counts.double().unbind(dim=2)
        total = predicted + true
        dice = 2.0 * both / total
        return torch.where((true if self.masked else total) > 0, dice, torch.nan if self.masked else 1.0)


class MeanInsideClasses(_PerClass):
    """The mean of each channel of the prediction over the voxels whose label is its class.

    What Clara's ``ReduceMeanMasked`` computed is not documented; this is assumed from its name.
    """

    def _values(self, predictions: torch.Tensor, labels: torch.Tensor, channels: range) -> torch.Tensor:
        shape = (len(predictions), len(channels))
        sums, counts = (torch.zeros(shape, dtype=torch.float64, device=predictions.device) for _ in range(2))
        for values, targets in slabs(predictions, labels):
            true_of = class_masks(targets, predictions.shape[1], self.is_onehot_targets)
            for column, channel in enumerate(channels):
                mask = true_of(channel).flatten(1)
                inside = torch.where(mask, values[:, channel].flatten(1), 0.0)
                sums[:, column] += inside.sum(dim=1, dtype=torch.float64)
                counts[:, column] += mask.sum(dim=1)
        return sums / counts  # nan where the label has none of the class
