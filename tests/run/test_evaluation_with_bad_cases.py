"""Cases that an evaluation cannot read are left out where the user says so."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import clara_compat as cc
from clara_compat.cli.main import main
from clara_compat.errors import ClaraError

Make = Callable[..., Path]


def torn(folder: Path, *names: str) -> Path:
    for name in names:
        file = folder / name
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    return folder


def given(scans: Path, **more: Any) -> dict[str, Any]:
    data = {"DATA_ROOT": str(scans), "DATASET_JSON": str(scans / "dataset.json")}
    return {"do_validation": True, "on_bad_item": "skip", **data, **more}


@pytest.mark.parametrize("batch_size", [1, 3])
def test_they_are_left_out_of_metrics_and_reports(
    evaluation_mmar: Make, small_scans: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, batch_size: int
) -> None:
    """One whose scan is cut off, and one whose label is: of that the prediction is there."""
    mmar = evaluation_mmar()
    whole = cc.evaluate(mmar, overrides={"do_validation": True})
    scans = torn(shutil.copytree(small_scans, tmp_path / "scans"), "case1_image.nii.gz", "case3_label.nii.gz")
    with caplog.at_level(logging.WARNING, "clara_compat"):
        result = cc.evaluate(mmar, overrides=given(scans, batch_size=batch_size))
    assert list(result.cases) == ["case0_image", "case2_image"]
    kept = {name: whole.cases[name]["dice"] for name in result.cases}
    assert {name: values["dice"] for name, values in result.cases.items()} == pytest.approx(kept, abs=1e-12)
    assert result.metrics["dice"] == pytest.approx(np.mean(list(kept.values())), abs=1e-12)
    first, second = json.loads((mmar / "eval/evaluate_stats.json").read_text())["skipped"]
    assert "case1_image.nii.gz' cannot be read: the file is cut off" in first["reason"]
    assert "case3_label.nii.gz' cannot be read: the file is cut off" in second["reason"]
    assert [one["times"] for one in (first, second)] == [1, 1]
    assert caplog.text.count("_transforms: an item cannot be made and is left out") == 2
    raw = (mmar / "eval/dice_raw_results.txt").read_text()
    assert "case1" not in raw
    assert "case3" not in raw
    assert (mmar / "eval/case3_image").is_dir()


def test_the_command_tells_them(
    evaluation_mmar: Make, small_scans: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scans = torn(shutil.copytree(small_scans, tmp_path / "scans"), "case1_image.nii.gz")
    settings = [f"{name}={value}" for name, value in given(scans).items() if name.startswith("DATA")]
    with pytest.raises(SystemExit) as end:
        main(["evaluate", "-m", str(evaluation_mmar()), "--on-bad-item", "skip", "--set", *settings])
    assert not end.value.code
    out = capsys.readouterr().out
    assert "left out" in out
    assert "case1_image.nii.gz' cannot be read" in out


@pytest.mark.parametrize(
    ("names", "options", "message"),
    [
        (["case1_image.nii.gz"], {"on_bad_item": "stop"}, r"pre_transforms\[0\]: .*case1_image.* is cut off"),
        (["case1_label.nii.gz"], {"on_bad_item": "stop"}, r"label_transforms\[0\]: .*case1_label.* is cut off"),
        (
            [f"case{i}_image.nii.gz" for i in range(3)],
            {},
            "evaluate: 3 of the 4 items of the data list cannot be made, more than half, .*case0_image",
        ),
    ],
)
def test_the_run_ends(
    evaluation_mmar: Make, small_scans: Path, tmp_path: Path, names: list[str], options: Any, message: str
) -> None:
    scans = torn(shutil.copytree(small_scans, tmp_path / "scans"), *names)
    with pytest.raises(ClaraError, match=message):
        cc.evaluate(evaluation_mmar(), overrides=given(scans, **options))


def test_a_fault_of_the_post_processing_is_none_of_the_scan(evaluation_mmar: Make, small_scans: Path) -> None:
    mmar = evaluation_mmar(lambda config: config["post_transforms"].append({"path": "mine.Fails"}))
    (mmar / "custom").mkdir()
    (mmar / "custom/mine.py").write_text(
        "class Fails:\n    def __call__(self, data):\n        raise ValueError('no')\n"
    )
    with pytest.raises(ClaraError, match=r"post_transforms\[\d\]: .*ValueError: no"):
        cc.evaluate(mmar, overrides=given(small_scans))
