"""The demo's steps: a folder of its own, a short training, a picture."""

from __future__ import annotations

import io
import json
from pathlib import Path

import nibabel
import numpy as np
import pytest
from rich.console import Console

from clara_compat.demo import run
from clara_compat.demo.pictures import Case
from clara_compat.demo.run import predict_cases
from clara_compat.errors import ClaraError
from clara_compat.run.train import TrainResult


def test_prepare_makes_a_complete_mmar(tmp_path: Path) -> None:
    mmar = run.prepare_mmar(tmp_path / "new" / "demo")
    for name in ("config/config_train.json", "resources/log.config", "custom/randomGamma.py", "docs/Readme.md"):
        assert (mmar / name).is_file(), name
    assert (mmar / "commands/train.sh").stat().st_mode & 0o111
    assert not (mmar / "custom/__pycache__").exists()


def test_prepare_fills_an_empty_or_own_folder_again(tmp_path: Path) -> None:
    mmar = run.prepare_mmar(tmp_path)
    config = mmar / "config/config_train.json"
    original = config.read_text()
    config.write_text("{}")
    (mmar / "models").mkdir(exist_ok=True)
    (mmar / "models/mine.pt").write_text("kept")
    assert run.prepare_mmar(tmp_path) == mmar
    assert config.read_text() == original
    assert (mmar / "models/mine.pt").read_text() == "kept"


def test_a_foreign_folder_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(ClaraError, match="holds files that the demo did not make: name a new or an empty folder"):
        run.prepare_mmar(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ClaraError, match="is a file, expected a folder"):
        run.prepare_mmar(tmp_path / "file")


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ClaraError, match="cannot write into"):
        run.prepare_mmar(tmp_path / "file" / "demo")


def test_the_installed_mmar_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = tmp_path / "clara_compat/demo/run.py"
    monkeypatch.setattr(run, "__file__", str(module))
    with pytest.raises(ClaraError, match="missing from the installation"):
        run.demo_mmar_folder()
    (tmp_path / "configs/demo_mmar").mkdir(parents=True)
    assert run.demo_mmar_folder() == tmp_path / "configs/demo_mmar"
    (tmp_path / "clara_compat/resources/demo_mmar").mkdir(parents=True)
    assert run.demo_mmar_folder() == tmp_path / "clara_compat/resources/demo_mmar"


@pytest.mark.slow
def test_a_short_demo_runs_to_the_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    validated = []

    def predict(result: TrainResult, data_list: Path) -> list[Case]:
        validated.extend(predict_cases(result, data_list, "validation"))
        return predict_cases(result, data_list)

    monkeypatch.setattr(run, "predict_cases", predict)
    printed = io.StringIO()
    result = run.run_demo(tmp_path / "demo", epochs=2, seed=1, console=Console(file=printed, width=200))
    assert result.mmar == tmp_path / "demo"
    assert result.picture.read_bytes().startswith(b"\x89PNG")
    assert list(result.case_dice) == [f"ct_testing_{index:03d}" for index in range(4)]
    stats = json.loads((result.mmar / "models/train_stats.json").read_text())
    assert result.dice > 0.2
    measured = sum(case.dice for case in validated) / len(validated)
    assert measured == pytest.approx(stats["best_value"], abs=1e-6), "the picture shows what the metric measures"
    assert "The best model on scans it never saw" in printed.getvalue()
    assert str(result.picture) in printed.getvalue()
    assert json.loads((result.mmar / "models/configs/train.json").read_text())["seed"] == 1


@pytest.mark.slow
def test_the_demo_finds_the_organ(tmp_path: Path) -> None:
    result = run.run_demo(tmp_path, seed=1, console=Console(file=io.StringIO()))
    assert result.dice >= 0.85, result.case_dice


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
    case = run._case(item, (stored > 7).astype(np.int64))
    assert case.name == "ct_1"
    assert case.spacing == spacing
    np.testing.assert_array_equal(case.image, ras)
    np.testing.assert_array_equal(case.truth > 0, ras > 5)
    np.testing.assert_array_equal(case.prediction > 0, ras > 7)
    assert nibabel.aff2axcodes(np.diag([*spacing, 1.0])) == ("R", "A", "S")
