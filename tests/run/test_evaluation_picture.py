"""Which cases are drawn, and which slice of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from clara_compat import evaluate
from clara_compat.engine.evaluation.slices import case_slice
from clara_compat.engine.evaluation.step import Case
from clara_compat.errors import ClaraError
from clara_compat.report import evaluation_sheet
from clara_compat.run import evaluation_picture
from clara_compat.run.evaluation_picture import save_picture


def test_the_slice_with_most_of_both() -> None:
    affine = torch.diag(torch.tensor([-0.5, 2.0, 3.0, 1.0], dtype=torch.float64))
    image = MetaTensor(torch.rand(1, 6, 5, 4), affine=affine)
    predicted, true = torch.zeros(1, 6, 5, 4), torch.zeros(2, 6, 5, 4)
    predicted[0, 2:4, 1:3, 2] = 1
    true[1, 2:5, 1:3, 2] = true[1, 0, 0, 0] = 1
    piece = case_slice(image, predicted, true)
    assert piece.place == "slice 3 of 4"
    np.testing.assert_array_equal(piece.image, image.numpy()[0, :, :, 2])
    np.testing.assert_array_equal(piece.predicted, predicted.numpy()[0, :, :, 2] > 0)
    np.testing.assert_array_equal(piece.true, true.numpy()[1, :, :, 2] > 0)
    assert piece.spacing == (0.5, 2.0)


def test_large_slices_are_thinned_and_others_have_none() -> None:
    large = torch.rand(1, 600, 40)
    piece = case_slice(large, large, large)
    assert (piece.image.shape, piece.spacing, piece.place) == ((200, 14), (3.0, 3.0), "the whole picture")
    assert case_slice(large, large[:, :10], large) is None
    assert case_slice(large, torch.rand(3), large) is None
    assert case_slice(None, large, large) is None


def cases(values: list[float]) -> list[Case]:
    image = torch.rand(1, 8, 8)
    return [
        Case(f"case{index}", "", metrics={"dice": value}, slice=case_slice(image, image, image))
        for index, value in enumerate(values)
    ]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.5, 0.9, 0.1, 0.7], ["worst case2 0.1000", "median case0 0.5000", "best case1 0.9000"]),
        ([0.5, float("nan"), 0.1], ["worst case2 0.1000", "best case0 0.5000"]),
        ([0.5], ["the only case case0 0.5000"]),
    ],
)
def test_worst_median_and_best(
    values: list[float], expected: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = []

    def draw(title: str, shown: list[evaluation_sheet.ShownCase]) -> object:
        drawn.extend(f"{case.rank} {case.name} {case.value}" for case in shown)
        return evaluation_sheet.draw_cases(title, shown)

    monkeypatch.setattr(evaluation_picture, "draw_cases", draw)
    file = save_picture(tmp_path / "evaluate.png", cases(values), "dice")
    assert drawn == expected
    assert matplotlib.image.imread(file).std() > 0.05


def test_nothing_to_draw_and_nowhere_to_write(tmp_path: Path) -> None:
    assert save_picture(tmp_path / "evaluate.png", cases([float("nan")]), "dice") is None
    (tmp_path / "file").write_text("")
    with pytest.raises(ClaraError, match="evaluate.png' cannot be written"):
        save_picture(tmp_path / "file" / "evaluate.png", cases([0.5]), "dice")


def test_an_evaluation_leaves_a_picture(evaluation_mmar: Callable[..., Path]) -> None:
    mmar = evaluation_mmar()
    result = evaluate(mmar, overrides={"do_validation": True})
    assert result.paths["picture"] == mmar / "eval/evaluate.png"
    assert matplotlib.image.imread(result.paths["picture"]).std() > 0.05
    assert "picture" not in evaluate(mmar).paths
