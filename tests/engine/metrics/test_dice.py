"""ClaraDice against numpy, case by case."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from clara_compat.engine.metrics.dice import ClaraDice
from clara_compat.errors import ClaraError


def dice(predicted: np.ndarray, true: np.ndarray) -> float:
    return np.nan if not true.any() else 2.0 * (predicted & true).sum() / (predicted.sum() + true.sum())


def finite_mean(values: list[float]) -> float:
    values = [value for value in values if np.isfinite(value)]
    return float(np.mean(values)) if values else np.nan


def case(shape: tuple[int, ...], channels: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Predictions and labels; the second case has no voxel of class 1, the third of none but the background."""
    random = np.random.default_rng(seed)
    p = random.random((3, channels, *shape)).astype(np.float32)
    p[0, 0].flat[:5] = 0.5  # on the threshold
    labels = random.integers(0, max(channels, 2), (3, 1, *shape)).astype(np.float32)
    labels[1][labels[1] == 1] = 0
    labels[2] = 0
    return p, labels


@pytest.mark.parametrize("remove_bg", [True, False])
@pytest.mark.parametrize("one_hot", [True, False])
@pytest.mark.parametrize("threshold", [0.5, 0.25])
@pytest.mark.parametrize("shape", [(6, 5), (6, 5, 4)])
def test_equals_numpy(shape, threshold, one_hot, remove_bg):
    p, labels = case(shape, 3)
    true = np.concatenate([labels == c for c in range(3)], axis=1)
    metric = ClaraDice(remove_bg=remove_bg, logit_thresh=threshold, is_one_hot_targets=one_hot)
    fields = {"pred": torch.tensor(p), "label": torch.tensor(true.astype(np.uint8) if one_hot else labels)}
    metric.update(fields)
    rows = [[dice(p[n, c] >= threshold, true[n, c]) for c in range(int(remove_bg), 3)] for n in range(3)]
    np.testing.assert_allclose(np.array(metric.values), rows, rtol=1e-12)
    assert metric.compute() == pytest.approx(finite_mean([finite_mean(row) for row in rows]), rel=1e-12)


def test_batches_add_up_and_reset_forgets():
    p, labels = case((6, 5, 4), 2)
    whole, parts = ClaraDice(), ClaraDice()
    whole.update({"pred": torch.tensor(p), "label": torch.tensor(labels)})
    for n in range(3):
        parts.update({"pred": torch.tensor(p[n : n + 1]), "label": torch.tensor(labels[n : n + 1])})
    assert parts.compute() == whole.compute() > 0
    parts.reset()
    assert parts.values == []
    assert parts.compute() == 0.0


def test_single_channel_is_compared_with_the_foreground():
    p, labels = case((8, 8), 1, seed=1)
    labels[0, 0, 0, :4] = [3.0, 0.9, -1.0, 2.0]
    metric = ClaraDice(remove_bg=True)
    metric.update({"pred": torch.tensor(p), "label": torch.tensor(labels)})
    expected = [dice(p[n, 0] >= 0.5, labels[n, 0] >= 1) for n in range(3)]
    np.testing.assert_allclose(np.array(metric.values)[:, 0], expected, rtol=1e-12)


def test_slices_of_a_volume():
    p, labels = case((5, 4, 7), 3)
    labels[..., 2] = 0
    metric = ClaraDice(is_2d=True)
    metric.update({"pred": torch.tensor(p), "label": torch.tensor(labels)})
    for n in range(3):
        rows = [
            finite_mean([dice(p[n, c, ..., s] >= 0.5, labels[n, 0, ..., s] == c) for s in range(7)]) for c in (1, 2)
        ]
        np.testing.assert_allclose(metric.values[n], rows, rtol=1e-12)


def test_two_dimensional_data_have_no_slices():
    p, labels = case((9, 8), 2)
    fields = {"pred": torch.tensor(p), "label": torch.tensor(labels)}
    values = []
    for is_2d in (True, False):
        metric = ClaraDice(is_2d=is_2d)
        metric.update(fields)
        values.append(metric.compute())
    assert values[0] == values[1]


def test_nothing_in_any_label_gives_zero():
    metric = ClaraDice()
    metric.update({"pred": torch.ones(1, 2, 4, 4), "label": torch.zeros(1, 1, 4, 4)})
    assert np.isnan(metric.values[0]).all()
    assert metric.compute() == 0.0


@pytest.mark.parametrize(
    ("fields", "options", "message"),
    [
        ({"pred": (1, 2, 4, 4)}, {}, r"'d' reads field 'label', which nothing produces \(fields here: model\)"),
        (
            {"pred": (1, 2, 4, 4), "label": (1, 2, 4, 4)},
            {},
            "'label' has 2 channels, expected 1 with is_one_hot_targets false",
        ),
        (
            {"pred": (1, 2, 4, 4), "label": (1, 1, 4, 5)},
            {},
            r"\[1, 2, 4, 4\] and 'label' \[1, 1, 4, 5\] differ in size",
        ),
        ({"pred": (1, 2, 4), "labell": (1, 1, 4)}, {}, "did you mean 'labell'"),
    ],
)
def test_refusals(fields, options, message):
    with pytest.raises(ClaraError, match=message):
        ClaraDice(name="d", **options).update({key: torch.zeros(shape) for key, shape in fields.items()})
