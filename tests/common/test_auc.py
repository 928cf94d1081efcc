"""Areas under the ROC curve, against counting pairs, scipy's rank test and MONAI."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.metrics import compute_roc_auc
from scipy.stats import mannwhitneyu

from clara_compat.common.auc import auc_score, indicators, multiclass_auc, roc_auc
from clara_compat.common.label_format import label_sizes
from clara_compat.errors import ClaraError


def pairs(scores, truth):
    """The fraction of pairs of a positive and a negative case that are in order; equal ones count half."""
    positive, negative = scores[truth == 1], scores[truth == 0]
    order = [np.float64(p > n) + 0.5 * (p == n) for p in positive for n in negative]
    return np.mean(order) if order else np.nan


def cases(seed, count=40, classes=3, levels=7):
    """Scores with ties, and an indicator for each class, with every value in it."""
    generator = np.random.default_rng(seed)
    truth = (generator.random((count, classes)) < [0.2, 0.5, 0.8][:classes]).astype(float)
    truth[:2] = [[0] * classes, [1] * classes]
    return generator.integers(0, levels, (count, classes)) / levels, truth


@pytest.mark.parametrize("levels", [2, 7, 1000])
@pytest.mark.parametrize("seed", [0, 1])
def test_equals_pair_counting_and_the_rank_test(seed, levels):
    scores, truth = (column[:, 0] for column in cases(seed, levels=levels))
    found = roc_auc(scores, truth)
    assert found == pytest.approx(pairs(scores, truth), abs=1e-12)
    statistic = mannwhitneyu(scores[truth == 1], scores[truth == 0]).statistic
    assert found == pytest.approx(statistic / (truth == 1).sum() / (truth == 0).sum(), abs=1e-12)


@pytest.mark.parametrize(
    ("scores", "truth", "expected"),
    [
        ([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1], 0.75),
        ([1, 1, 1], [0, 1, 1], 0.5),
        ([3, 2, 1], [0, 0, 1], 0.0),
        ([1, 2, 9], [0, 1, np.nan], 1.0),
        ([1, 2, -9], [0, 1, -1], 1.0),
        ([1, np.nan], [0, 1], np.nan),
        ([1, 2, np.nan], [0, 1, np.nan], 1.0),
        ([1, 2], [1, 1], np.nan),
        ([1, 2], [0, 0], np.nan),
        ([], [], np.nan),
        ([-np.inf, np.inf], [0, 1], 1.0),
    ],
)
def test_special_cases(scores, truth, expected):
    np.testing.assert_equal(roc_auc(np.array(scores, dtype=float), np.array(truth, dtype=float)), expected)


@pytest.mark.parametrize("average", ["macro", "micro", "weighted", None])
def test_averages(average):
    scores, truth = cases(3)
    areas = [pairs(scores[:, index], truth[:, index]) for index in range(3)]
    expected = {
        "macro": np.mean(areas),
        None: np.mean(areas),
        "micro": pairs(scores.ravel(), truth.ravel()),
        "weighted": np.dot(areas, truth.sum(0)) / truth.sum(),
    }[average]
    found = auc_score(scores, truth, average)
    assert found == pytest.approx(expected, abs=1e-12)
    if average is not None:
        monai = compute_roc_auc(torch.from_numpy(scores), torch.from_numpy(truth), average=average)
        assert found == pytest.approx(float(monai), abs=1e-12)
    assert auc_score(scores, truth, average, [1]) == pytest.approx(areas[1], abs=1e-12)
    assert auc_score(scores, truth, "macro", [0, 2]) == pytest.approx((areas[0] + areas[2]) / 2, abs=1e-12)


@pytest.mark.parametrize("average", ["macro", "weighted"])
@pytest.mark.parametrize("value", [0.0, 1.0, np.nan])
def test_a_class_without_an_area_is_left_out(average, value):
    scores, truth = cases(4)
    truth[:, 1] = value
    assert auc_score(scores, truth, average) == pytest.approx(auc_score(scores, truth, average, [0, 2]))
    truth[:] = value
    assert np.isnan(auc_score(scores, truth, average))


def test_a_prediction_that_is_no_number_spoils_the_area():
    scores, truth = cases(4)
    scores[3, 1] = np.nan
    assert np.isnan(auc_score(scores, truth, "macro"))
    truth[3, 1] = np.nan  # nobody knows the label, so nobody asks for the prediction
    assert np.isfinite(auc_score(scores, truth, "macro"))


def test_indicators():
    labels = [[1, 2, 0], [0, 0, 1], [-1, 3, np.nan], [2, 0.5, 1]]
    nan = np.nan
    expected = [
        [1, 0, 0, 1, 1, 0],
        [0, 1, 0, 0, 0, 1],
        [nan, nan, nan, nan, nan, nan],
        [nan, nan, nan, nan, 0, 1],
    ]
    np.testing.assert_array_equal(indicators(np.array(labels), [1, 3, 2]), expected)


def test_mean_over_labels():
    generator = np.random.default_rng(5)
    labels = np.stack([generator.integers(0, 2, 50), generator.integers(0, 3, 50), np.zeros(50)], axis=1)
    scores = generator.random((50, 6))
    truth = indicators(labels, [1, 3, 2])
    first = pairs(scores[:, 0], truth[:, 0])
    second = np.mean([pairs(scores[:, index], truth[:, index]) for index in (1, 2, 3)])
    assert multiclass_auc(scores, truth, [1, 3, 2]) == pytest.approx((first + second) / 2)  # the third has no area
    assert multiclass_auc(scores, truth, [1, 3, 2], label_index=1) == pytest.approx(second)
    assert np.isnan(multiclass_auc(scores, truth, [1, 3, 2], label_index=2))
    micro = pairs(scores[:, 1:4].ravel(), truth[:, 1:4].ravel())
    assert multiclass_auc(scores, truth, [1, 3, 2], "micro", 1) == pytest.approx(micro)


@pytest.mark.parametrize(
    ("outputs", "labels", "declared", "expected"),
    [
        (3, 3, None, [1, 1, 1]),
        (3, 1, None, [3]),
        (1, 1, None, [1]),
        (5, 3, [1, 3, 1], [1, 3, 1]),
        (2, 2, [1, 3, 1], [1, 1]),  # the binary outputs alone
        (3, 1, [3], [3]),
    ],
)
def test_label_sizes(outputs, labels, declared, expected):
    assert label_sizes(outputs, labels, declared) == expected


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        (None, r"5 outputs of the network do not fit 2 labels: expected one output for a binary label"),
        ([2, 2], r"do not fit 2 labels \(output_label_format \[2, 2\]\).*mend num_classes"),
    ],
)
def test_labels_that_do_not_fit(declared, message):
    with pytest.raises(ClaraError, match=message):
        label_sizes(5, 2, declared)
