"""The classification MMARs train and are evaluated as a user does it: by their commands, from legacy configs."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from scipy.stats import rankdata

from clara_compat.demo.run import DemoResult, run_demo

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=["classification", "classification3d"])
def demo(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> DemoResult:
    folder = tmp_path_factory.mktemp(request.param)
    with (folder / "printed.txt").open("w") as printed:
        return run_demo(folder / "mmar", task=request.param, console=Console(file=printed, width=200))


def _area(scores: np.ndarray, positive: np.ndarray) -> float:
    """The rank statistic of Mann and Whitney."""
    ahead = positive.sum()
    return float((rankdata(scores)[positive].sum() - ahead * (ahead + 1) / 2) / (ahead * (~positive).sum()))


def test_the_area_under_the_curve_rises(demo: DemoResult) -> None:
    stats = json.loads((demo.mmar / "models/train_stats.json").read_text())
    areas = [epoch["metrics"]["auc"] for epoch in stats["epochs"]]
    assert stats["key_metric"] == "auc"
    assert areas[0] < 0.85, "not trivial at the start"
    assert stats["best_value"] == max(areas) > 0.9
    assert np.mean(areas[-3:]) > np.mean(areas[:3]) + 0.1


def test_unseen_images_are_told_apart(demo: DemoResult) -> None:
    assert demo.measure == "AUC"
    assert [name for name in demo.values if name != "no lesion"] == ["solid lesion", "hollow lesion"]
    assert demo.value == np.mean(list(demo.values.values())) > 0.9
    assert demo.picture.read_bytes().startswith(b"\x89PNG")
    printed = (demo.mmar.parent / "printed.txt").read_text()
    assert all(word in printed for word in ("solid lesion", "hollow lesion", "AUC", str(demo.picture)))


def test_the_evaluation_command_reports_what_its_predictions_say(demo: DemoResult) -> None:
    done = subprocess.run(
        ["bash", str(demo.mmar / "commands/validate.sh"), "output_infer_result=true"],
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        cwd=demo.mmar.parent, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    content = json.loads((demo.mmar / "data/dataset.json").read_text())
    labels = {Path(item["image"]).name: item["label"] for item in content["testing"]}
    with (demo.mmar / "eval/preds_model.csv").open(newline="") as stream:
        rows = {Path(file).name: [float(value) for value in values] for file, *values in csv.reader(stream)}
    assert rows.keys() == labels.keys()
    scores = np.array([rows[name] for name in labels])
    truth = np.array(list(labels.values()))
    if content["label_format"] == [3]:
        np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-5)
        truth = truth == np.arange(3)
    areas = [_area(scores[:, index], truth[:, index] == 1) for index in range(scores.shape[1])]
    assert list(demo.values.values()) == pytest.approx(areas, abs=1e-6), "the demo's own figures"
    for name, expected in (("auc", np.mean(areas)), ("auc_solid", areas[-2]), ("auc_hollow", areas[-1])):
        summary = (demo.mmar / f"eval/{name}_summary_results.txt").read_text().splitlines()
        average = dict(line.split("\t")[:2] for line in summary)["average"]
        assert float(average) == pytest.approx(expected, abs=1e-6), name
