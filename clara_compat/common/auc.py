"""The area under the ROC curve, for labels of a classification task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

__all__ = ["Average", "auc_score", "indicators", "multiclass_auc", "roc_auc"]

Average = Literal["macro", "micro", "weighted"]
"""How the areas of several classes become one number, by the names scikit-learn and MONAI use."""

Array = np.ndarray[Any, Any]


def roc_auc(scores: Array, truth: Array) -> float:
    """Return the probability that a positive case has a higher score than a negative one; equal scores count half.

    This is the rank statistic of Mann and Whitney with the mean rank for ties, which equals the area under the curve
    (scikit-learn's ``roc_auc_score``; MONAI's ``compute_roc_auc`` walks through the cases in a Python loop).

    Args:
        scores: (N,), higher for cases that are more likely positive.
        truth: (N,), 1 for positive and 0 for negative; any other value leaves the case out.

    Returns:
        The area; nan without a positive or without a negative case, or when a score is nan.
    """
    known = (truth == 0) | (truth == 1)
    scores, positive = scores[known], truth[known] == 1
    pairs = int(positive.sum()) * int((~positive).sum())
    if not pairs or np.isnan(scores).any():
        return float("nan")
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2
    ahead = int(positive.sum())
    return float((ranks[place.ravel()][positive].sum() - ahead * (ahead + 1) / 2) / pairs)


def indicators(labels: Array, sizes: Sequence[int]) -> Array:
    """Return for every case and output whether the output's class is the case's: 1, 0, or nan where it is not known.

    A label that is no class (negative, too large, nan, between two classes) is not known (`assumed`).

    Args:
        labels: (N, labels): 0 or 1 for a binary label, the index of the class for any other.
        sizes: for every label its number of outputs, 1 for a binary one.

    Returns:
        (N, outputs).
    """
    columns = []
    for label, size in zip(np.asarray(labels, dtype=np.float64).T, sizes, strict=True):
        known = np.isin(label, np.arange(max(size, 2)))
        classes = [1] if size == 1 else range(size)
        columns += [np.where(known, label == index, np.nan) for index in classes]
    return np.stack(columns, axis=1)


def auc_score(
    scores: Array, truth: Array, average: Average | None = "macro", columns: Sequence[int] | None = None
) -> float:
    """Return the area of several classes as one number.

    Args:
        scores: (N, classes).
        truth: (N, classes), as in :func:`roc_auc`.
        average: ``macro`` takes the mean over the classes, ``weighted`` weighs each by its positive cases, ``micro``
            takes every case of every class as one of a single curve. None is for who wants the area of each class,
            which the report shows; the one number is then that of ``macro``.
        columns: the classes that count; by default all.

    Returns:
        The area. A class without positive or without negative cases has none and is left out; nan when no class has.
    """
    if columns is not None:
        scores, truth = scores[:, columns], truth[:, columns]
    if average == "micro":
        return roc_auc(scores.ravel(), truth.ravel())
    if np.isnan(scores[np.isfinite(truth)]).any():
        return float("nan")
    areas = np.array([roc_auc(*column) for column in zip(scores.T, truth.T, strict=True)])
    weights = np.sum(truth == 1, axis=0) if average == "weighted" else np.ones(len(areas))
    defined = np.isfinite(areas)
    return float(np.average(areas[defined], weights=weights[defined])) if defined.any() else float("nan")


def multiclass_auc(
    scores: Array,
    truth: Array,
    sizes: Sequence[int],
    average: Average | None = "macro",
    label_index: int | None = None,
) -> float:
    """Return the mean over the labels of the area of each, which is that of its classes averaged.

    Args:
        scores: (N, outputs).
        truth: (N, outputs), as in :func:`roc_auc`.
        sizes: for every label its number of outputs.
        average: how the areas of the classes of a label become one, see :func:`auc_score`.
        label_index: take this label only.

    Returns:
        The area. A label that has none is left out; nan when no label has.
    """
    areas = [auc_score(scores, truth, average, columns) for columns in _label_columns(sizes, label_index)]
    defined = [area for area in areas if np.isfinite(area)]
    return float(np.mean(defined)) if defined else float("nan")


def _label_columns(sizes: Sequence[int], label_index: int | None = None) -> list[list[int]]:
    """Return the outputs of every label, or of one."""
    ends = np.cumsum(sizes).tolist()
    columns = [list(range(end - size, end)) for size, end in zip(sizes, ends, strict=True)]
    return columns if label_index is None else [columns[label_index]]
