"""The picture of a classification run, and its ROC curves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.stats import rankdata

from clara_compat.report.classification import Example, roc_curve, save_classification
from clara_compat.report.course import Course

COURSE = Course([1, 2], [0.7, 0.4], [1, 2], [0.6, 0.8])


def _brute_force(scores: np.ndarray, truth: np.ndarray) -> list[tuple[float, float]]:
    thresholds = [np.inf, *sorted(set(scores), reverse=True)]
    positive = truth == 1
    return [((scores[~positive] >= level).mean(), (scores[positive] >= level).mean()) for level in thresholds]


@pytest.mark.parametrize("decimals", [1, 8])
def test_roc_curve_against_counting(decimals: int) -> None:
    random = np.random.default_rng(decimals)
    truth = (random.random(60) < 0.4).astype(float)
    scores = np.round(random.random(60) + 0.3 * truth, decimals)
    alarms, hits = roc_curve(scores, truth)
    np.testing.assert_allclose(np.stack([alarms, hits], axis=1), _brute_force(scores, truth))
    ranks, positive = rankdata(scores), truth == 1
    pairs = positive.sum() * (~positive).sum()
    area = (ranks[positive].sum() - positive.sum() * (positive.sum() + 1) / 2) / pairs
    assert np.trapezoid(hits, alarms) == pytest.approx(area)


def _example(findings: int, image: np.ndarray) -> Example:
    return Example("testing_001", image, np.linspace(0.1, 0.9, findings), np.arange(findings) % 2)


@pytest.mark.parametrize("findings", [2, 3])
def test_the_picture_is_written(tmp_path: Path, findings: int) -> None:
    random = np.random.default_rng(0)
    truth = np.arange(24).reshape(-1, 1) % 3 == np.arange(findings)
    scores = 0.5 * truth + 0.5 * random.random((24, findings))
    path = tmp_path / "demo.png"
    examples = [_example(findings, random.random((30, 40))) for _ in range(4)]
    save_classification(path, examples, [f"finding {k}" for k in range(findings)], scores, truth.astype(float), COURSE)
    assert [file.name for file in tmp_path.iterdir()] == ["demo.png"]
    with Image.open(path) as picture:
        assert picture.width > 1000
        colours = np.asarray(picture.convert("RGB")).reshape(-1, 3).astype(int)
    for expected in ((0xE6, 0x9F, 0x00), (0x56, 0xB4, 0xE9), (0x00, 0x72, 0xB2), (0xD5, 0x5E, 0x00)):
        assert (np.abs(colours - expected).max(axis=1) < 12).sum() > 20, expected


def test_a_finding_without_negative_cases_has_no_curve(tmp_path: Path) -> None:
    scores = np.array([[0.2, 0.3], [0.8, 0.9]])
    save_classification(
        tmp_path / "demo.png", [_example(2, np.eye(9))], ["a", "b"], scores, np.array([[0.0, 1.0], [1.0, 1.0]]), COURSE
    )
    assert (tmp_path / "demo.png").stat().st_size > 10_000


def test_a_picture_needs_an_example(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one example"):
        save_classification(tmp_path / "demo.png", [], ["a"], np.zeros((2, 1)), np.array([[0.0], [1.0]]), COURSE)
