"""The demo's steps: a folder of its own, a short training, a picture."""

from __future__ import annotations

import io
import json
from pathlib import Path

import nibabel
import numpy as np
import pytest
from rich.console import Console

from clara_compat.demo import run, segmentation
from clara_compat.demo.pictures import Case
from clara_compat.demo.segmentation import predict_cases
from clara_compat.errors import ClaraError
from clara_compat.run.train import TrainResult


@pytest.mark.slow
def test_a_short_demo_runs_to_the_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    validated = []

    def predict(result: TrainResult, data_list: Path) -> list[Case]:
        validated.extend(predict_cases(result, data_list, "validation"))
        return predict_cases(result, data_list)

    monkeypatch.setattr(segmentation, "predict_cases", predict)
    printed = io.StringIO()
    result = run.run_demo(tmp_path / "demo", epochs=2, seed=1, console=Console(file=printed, width=200))
    assert result.mmar == tmp_path / "demo"
    assert result.picture.read_bytes().startswith(b"\x89PNG")
    assert list(result.values) == [f"ct_testing_{index:03d}" for index in range(4)]
    stats = json.loads((result.mmar / "models/train_stats.json").read_text())
    assert result.value > 0.2
    measured = sum(case.dice for case in validated) / len(validated)
    assert measured == pytest.approx(stats["best_value"], abs=1e-6), "the picture shows what the metric measures"
    assert "The best model on CT scans it never saw" in printed.getvalue()
    assert str(result.picture) in printed.getvalue()
    assert json.loads((result.mmar / "models/configs/train.json").read_text())["seed"] == 1


@pytest.mark.slow
def test_the_demo_finds_the_organ(tmp_path: Path) -> None:
    result = run.run_demo(tmp_path, seed=1, console=Console(file=io.StringIO()))
    assert result.value >= 0.85, result.values


def test_a_task_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(ClaraError, match=r"no demo 'classification2d'; did you mean 'classification.*demos: seg"):
        run.run_demo(tmp_path / "new", task="classification2d")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("signs", [(1, 1, 1), (-1, 1, -1)])
def test_a_case_is_turned_to_right_front_head(signs: tuple[int, int, int]) -> None:
    from monai.data import MetaTensor

    spacing = (2.0, 3.0, 4.0)
    ras = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    stored = ras[tuple(slice(None, None, sign) for sign in signs)].copy()
    affine = np.diag([*(np.array(signs) * spacing), 1.0])
    item = {
        "image": MetaTensor(stored[None], affine=affine, meta={"filename_or_obj": "/data/ct_1.nii.gz"}),
        "label": MetaTensor((stored > 5)[None].astype(np.float32), affine=affine),
    }
    case = segmentation._case(item, (stored > 7).astype(np.int64))
    assert case.name == "ct_1"
    assert case.spacing == spacing
    np.testing.assert_array_equal(case.image, ras)
    np.testing.assert_array_equal(case.truth > 0, ras > 5)
    np.testing.assert_array_equal(case.prediction > 0, ras > 7)
    assert nibabel.aff2axcodes(np.diag([*spacing, 1.0])) == ("R", "A", "S")
