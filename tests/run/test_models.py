"""Every segmentation model learns on the demo's synthetic scans."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from clara_compat import train
from clara_compat.demo.run import prepare_mmar
from clara_compat.demo.scans import make_scans
from clara_compat.engine.losses.extra import LossWithExtra
from clara_compat.run.train import TrainResult

CROP = [32, 32, 32]
GROUPS = {"use_group_norm": True, "use_group_normG": 4}
MODELS = {
    "Unet": {"nf_enc": "8,16,16", "nf_dec": "16,16,16,16,8,8", **GROUPS},
    "SegResnet": {"blocks_down": "1,1,1", "blocks_up": "1,1", "use_vae": True, "reg_weight": 1e-4, **GROUPS},
    "SegAhnet": {"n_spatial_dim": 3, "pretrain_weight_name": []},
}


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_scans(tmp_path_factory.mktemp("scans"), training=8, validation=2, testing=0)


def run(folder: Path, scans: Path, name: str, **changes: Any) -> TrainResult:
    mmar = prepare_mmar(folder)
    file = mmar / "config" / "config_train.json"
    config = json.loads(file.read_text()) | {"num_training_epoch_per_valid": 1} | changes
    config["train"]["model"] = {"name": name, "args": {"num_classes": 2, **MODELS[name]}}
    for transform in config["train"]["pre_transforms"]:
        if transform["name"] == "FastPosNegRatioCropROI":
            transform["args"]["size"] = CROP
    config["train"]["image_pipeline"]["args"]["output_crop_size"] = CROP
    config["validate"]["inferer"]["args"]["roi_size"] = CROP
    file.write_text(json.dumps(config))
    return train(mmar, overrides={"DATA_ROOT": str(scans.parent), "DATASET_JSON": str(scans)})


@pytest.mark.slow
@pytest.mark.parametrize(("name", "epochs", "rate"), [("Unet", 8, 5e-3), ("SegResnet", 8, 5e-3), ("SegAhnet", 4, 1e-3)])
def test_it_learns(
    tmp_path: Path, scans: Path, name: str, epochs: int, rate: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[float, float, float]] = []
    forward = LossWithExtra.forward

    def watched(self: LossWithExtra, predictions: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        total = forward(self, predictions, targets)
        seen.append((self.loss(predictions, targets).item(), self._extra().item(), total.item()))
        return total

    monkeypatch.setattr(LossWithExtra, "forward", watched)
    start = run(tmp_path / "start", scans, name, epochs=1, learning_rate=1e-12).stats["epochs"][0]["metrics"]
    seen.clear()
    stats = run(tmp_path / "trained", scans, name, epochs=epochs, learning_rate=rate).stats
    assert stats["best_value"] > start["mean_dice"] + 0.1, (start, stats["epochs"])
    assert bool(seen) == (name == "SegResnet")
    if seen:
        assert len(seen) == stats["steps"]
        assert all(extra > 0 for _, extra, _ in seen)
        assert all(total == pytest.approx(dice + extra, rel=1e-5) for dice, extra, total in seen)
        first = [total for *_, total in seen[: stats["steps_per_epoch"]]]
        assert stats["epochs"][0]["loss"] == pytest.approx(sum(first) / len(first), rel=1e-5)
        assert seen[-1][1] < seen[0][1], "the network's own loss is minimised too"
