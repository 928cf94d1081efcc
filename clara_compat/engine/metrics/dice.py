"""Clara's ``ComputeAverageDice``: the mean Dice of thresholded predictions over the validation's cases."""

from __future__ import annotations

import os
from collections.abc import MutableMapping, Sequence
from typing import Any

import numpy as np
from monai.utils import CommonKeys

from clara_compat.engine.metrics.case_metric import CaseMetric
from clara_compat.engine.overlap import check_fit, overlaps, thresholded

__all__ = ["ClaraDice"]


class ClaraDice(CaseMetric):
    """Per case and channel ``2 |P and T| / (|P| + |T|)``; the mean over the channels, then over the cases.

    P are the voxels whose predicted value reaches ``logit_thresh`` (``>=``), each channel by itself: no argmax, so a
    voxel can belong to two classes or none. T are the voxels of the class in the label. A channel that is empty in the
    label is invalid and left out (all of this is assumed from the names of the arguments: clara-3.1 engine facts,
    section 2.6). The voxels are counted slab by slab: no mask or one-hot form of a whole volume is made.

    Args:
        field: the predictions, (N, C, spatial...).
        label_field: the labels, (N, 1, spatial...) class indices or (N, C, spatial...) one-hot.
        remove_bg: leave channel 0 out when there are several. A single prediction channel is compared with the
            foreground (every label from 1 upwards).
        logit_thresh: threshold of the predictions.
        is_one_hot_targets: the labels have one channel per class, of which values from 0.5 count.
        is_2d: for volumes, take the Dice of every slice along the last axis and average over the slices whose label
            is not empty. Two-dimensional data are what they are.
        report_path: folder for the reports; none are written without it.
        name: the metric's name, for reports and messages.
    """

    kept = ("files", "values", "voxels")

    def __init__(
        self,
        field: str = CommonKeys.PRED,
        label_field: str = CommonKeys.LABEL,
        remove_bg: bool = True,
        logit_thresh: float = 0.5,
        is_one_hot_targets: bool = False,
        is_2d: bool = False,
        report_path: str | os.PathLike[str] | None = None,
        name: str = "mean_dice",
    ) -> None:
        self.prediction_field = field
        self.label_field = label_field
        self.remove_bg = remove_bg
        self.logit_thresh = logit_thresh
        self.is_one_hot_targets = is_one_hot_targets
        self.is_2d = is_2d
        super().__init__(name, report_path)

    def reset(self) -> None:
        """Forget the cases of the last validation."""
        super().reset()
        self.voxels: list[np.ndarray] = []
        """Per case and counted channel the voxels that are predicted and true, predicted, and true."""

    def case_values(self, output: MutableMapping[str, Any]) -> Sequence[np.ndarray]:
        """Return a row of Dice values per case, one value per counted channel, nan where the label has none."""
        predictions, labels = self.field(output, self.prediction_field), self.field(output, self.label_field)
        check_fit(
            f"metric '{self.name}'",
            predictions,
            labels,
            self.is_one_hot_targets,
            argument="is_one_hot_targets",
            label=f"'{self.label_field}'",
        )
        channels = predictions.shape[1]
        counts = overlaps(
            predictions,
            labels.to(predictions.device),
            thresholded(self.logit_thresh),
            range(1 if self.remove_bg and channels > 1 else 0, channels),
            is_one_hot=self.is_one_hot_targets,
            by_slice=self.is_2d and predictions.ndim == 5,
        )
        if counts.ndim == 3:
            counts = counts[..., None]
        counted = counts.cpu().numpy()  # one transfer for the batch
        self.voxels += list(counted.sum(axis=-1))
        both, predicted_size, true_size = np.moveaxis(counted, 2, 0)
        dice = np.where(true_size > 0, 2.0 * both / np.maximum(predicted_size + true_size, 1), np.nan)
        filled = np.isfinite(dice)
        sums, slices = np.where(filled, dice, 0.0).sum(axis=-1), filled.sum(axis=-1)
        return list(np.where(slices > 0, sums / np.maximum(slices, 1), np.nan))
