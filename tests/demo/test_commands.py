"""The launch scripts of the demo's MMAR run as they are written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import nibabel
import numpy as np
import pytest

from clara_compat.demo.mmar import prepare_mmar
from clara_compat.demo.scans import make_scans


def run(mmar: Path, command: str, *more: str) -> str:
    """Run a script with the python3 of this environment first on PATH, as a user with an activated one does."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [str(mmar / "commands" / command), *more], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_all_scripts_run_as_written(tmp_path: Path) -> None:
    mmar = prepare_mmar(tmp_path / "demo")
    items = json.loads(make_scans(mmar / "data", training=2, validation=2, testing=1).read_text())
    assert "Training finished" in run(mmar, "train.sh", "epochs=1")
    out = run(mmar, "validate.sh")
    assert "Evaluation finished" in out
    stats = json.loads((mmar / "eval/evaluate_stats.json").read_text())
    assert 0 <= stats["metrics"]["mean_dice_spleen"] <= 1
    assert f"{stats['metrics']['mean_dice_spleen']:.4f}" in out
    assert (mmar / "eval/mean_dice_spleen_raw_results.txt").is_file()
    assert not list((mmar / "eval").glob("*/*.nii.gz"))
    run(mmar, "infer.sh")
    masks = sorted((mmar / "eval").glob("*/*_model.nii.gz"))
    assert len(masks) == 2
    for mask, item in zip(masks, sorted(items["validation"], key=lambda one: one["image"]), strict=True):
        scan = nibabel.as_closest_canonical(nibabel.load(mmar / "data" / item["image"]))
        found = nibabel.load(mask)
        np.testing.assert_allclose(found.header.get_zooms(), 6.0, rtol=0.15)
        for corner in (0.0, 1.0):  # the outer corners of the first and the last voxel
            places = [image.affine[:3, :3] @ (corner * np.array(image.shape) - 0.5) for image in (found, scan)]
            apart = places[0] + found.affine[:3, 3] - places[1] - scan.affine[:3, 3]
            np.testing.assert_allclose(apart, 0, atol=1e-2)
    assert "model.ts" in run(mmar, "export.sh")
    assert (mmar / "models/model.onnx").is_file()
    run(mmar, "train_finetune.sh", "epochs=1")
    assert json.loads((mmar / "models_finetune/train_stats.json").read_text())["epochs"][0]["learning_rate"] == 5e-4
