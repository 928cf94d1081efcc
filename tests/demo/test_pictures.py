"""The picture is written whole, and shows every case."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from clara_compat.demo.pictures import Case, save_overview
from clara_compat.report.course import Course

COURSE = Course(epochs=[1, 2, 3, 4], loss=[0.9, 0.5, 0.3, 0.2], validated=[2, 4], metric=[0.4, 0.8])


def _case(shift: int = 2) -> Case:
    generator = np.random.default_rng(0)
    truth = np.zeros((20, 24, 12), dtype=np.float32)
    truth[5:12, 6:14, 3:9] = 1
    image = generator.random(truth.shape) * 0.2 + 0.5 * truth
    return Case("ct_validation_000", image, truth, np.roll(truth, shift, axis=0), (4.0, 4.0, 6.0))


def test_dice_of_a_case() -> None:
    case = _case(2)
    assert case.dice == pytest.approx(5 / 7)
    nothing = np.zeros_like(case.truth)
    assert Case("a", case.image, case.truth, nothing, case.spacing).dice == 0
    assert math.isnan(Case("a", case.image, nothing, nothing, case.spacing).dice)


@pytest.mark.parametrize("count", [1, 4])
def test_the_picture_is_written(tmp_path: Path, count: int) -> None:
    path = save_overview(tmp_path / "overview.png", [_case(k + 1) for k in range(count)], COURSE)
    assert [file.name for file in tmp_path.iterdir()] == ["overview.png"]
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        assert picture.width > 600
        assert picture.height > 600
        colours = np.asarray(picture.convert("RGB")).reshape(-1, 3)
    for expected in ((0xE6, 0x9F, 0x00), (0x56, 0xB4, 0xE9), (0xD5, 0x5E, 0x00), (0x00, 0x72, 0xB2)):
        assert (np.abs(colours.astype(int) - expected).max(axis=1) < 12).sum() > 20, expected


def test_an_empty_prediction_and_a_run_without_validation_are_drawn(tmp_path: Path) -> None:
    case = _case()
    empty = Case(case.name, case.image, case.truth, np.zeros_like(case.truth), case.spacing)
    path = save_overview(tmp_path / "overview.png", [empty], Course([1], [0.9], [], []))
    assert path.stat().st_size > 10_000


def test_matplotlibs_global_state_is_left_alone(tmp_path: Path) -> None:
    import matplotlib.pyplot as plt

    before = plt.get_backend(), plt.get_fignums()
    save_overview(tmp_path / "overview.png", [_case()], COURSE)
    assert (plt.get_backend(), plt.get_fignums()) == before


def test_a_picture_needs_a_case(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one case"):
        save_overview(tmp_path / "overview.png", [], COURSE)
