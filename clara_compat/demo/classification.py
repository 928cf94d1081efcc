"""What a trained classification network says about images it never saw."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from clara_compat.common.auc import indicators, roc_auc
from clara_compat.common.label_format import label_sizes
from clara_compat.demo.predict import predictions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from clara_compat.run.train import TrainResult

__all__ = ["show_classification"]

_HARDEST = 2
"""Examples that the network was most wrong about."""


def show_classification(result: TrainResult, data_list: Path, picture: Path) -> dict[str, float]:
    """Draw the best model's answers to the test images, and return the area under the ROC curve of each finding.

    Args:
        result: of the training.
        data_list: the data list file; its ``labels`` are the findings by the outputs' numbers, its ``label_format``
            says which outputs belong to which label.
        picture: the PNG to write.
    """
    from clara_compat.report.classification import Example, save_classification
    from clara_compat.report.course import Course

    described = json.loads(data_list.read_text(encoding="utf-8"))
    findings = list(described["labels"].values())
    answers = list(predictions(result, data_list))
    scores = np.stack([answer for _, answer in answers]).astype(np.float64)
    labels = np.stack([np.asarray(item["label"]) for item, _ in answers])
    truth = indicators(labels, label_sizes(scores.shape[1], labels.shape[1], described["label_format"]))
    error = np.abs(scores - truth).max(axis=1)
    first = list(range(len(np.unique(labels, axis=0))))  # the data list begins with one of each
    hardest = [int(index) for index in np.argsort(-error, kind="stable") if index not in first][:_HARDEST]
    examples = [
        Example(
            name=Path(str(answers[index][0]["image"].meta["filename_or_obj"])).name.partition(".")[0],
            image=_slice(answers[index][0]["image"][0].numpy()),
            scores=scores[index],
            truth=truth[index],
        )
        for index in [*first, *hardest]
    ]
    save_classification(picture, examples, findings, scores, truth, Course.from_stats(result.stats))
    return {name: roc_auc(scores[:, index], truth[:, index]) for index, name in enumerate(findings)}


def _slice(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a 2-D image as it is, and of a volume the slice through the largest bright spot."""
    from scipy.ndimage import gaussian_filter

    if image.ndim == 2:
        return image
    *_, index = np.unravel_index(int(gaussian_filter(image, 0.08 * image.shape[-1]).argmax()), image.shape)
    return image[..., int(index)]
