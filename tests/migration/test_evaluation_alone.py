"""A bundle of a config for evaluation without its training config: the network is what the weights are of."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clara_compat import evaluate, export, migrate, train

NETWORK = """
import torch
from layers import last


class Tiny(torch.nn.Module):
    def __init__(self, width):
        super().__init__()
        self.first, self.last = torch.nn.Conv3d(1, width, 3, padding=1), last(width)

    def forward(self, x):
        return torch.softmax(self.last(torch.relu(self.first(x))), dim=1)
"""
LAYERS = "import torch\n\n\ndef last(width):\n    return torch.nn.Conv3d(width, 2, 1)\n"
EVALUATION: dict[str, Any] = {
    "DATA_LIST_KEY": "training",
    "inferer": {"name": "TFScanWindowInferer", "args": {"roi_size": [16, 16, 16]}},
    "model_loader": {"name": "CheckpointLoader", "args": {"checkpoint_dir": "{MMAR_CKPT_DIR}"}},
    "pre_transforms": [
        {"name": "LoadNifti", "args": {"fields": ["image"]}},
        {"name": "ConvertToChannelsFirst", "args": {"fields": ["image"]}},
    ],
    "label_transforms": [
        {"name": "LoadNifti", "args": {"fields": ["label"]}},
        {"name": "ConvertToChannelsFirst", "args": {"fields": ["label"]}},
    ],
    "val_metrics": [{"name": "ComputeAverageDice", "args": {"name": "dice", "field": "model", "label_field": "label"}}],
}
EXPORTED = {"name": "FrozenGraphModelLoader", "args": {"model_file_path": "{MMAR_CKPT_DIR}/model.trt.pb"}}


@pytest.fixture
def trained(small_mmar: Callable[..., Path]) -> Path:
    def change(config: dict[str, Any]) -> None:
        config["epochs"] = 1
        config["train"]["model"] = {"path": "tiny.Tiny", "args": {"width": 3}}

    mmar = small_mmar(change)
    (mmar / "custom").mkdir(exist_ok=True)
    (mmar / "custom/tiny.py").write_text(NETWORK)
    (mmar / "custom/layers.py").write_text(LAYERS)
    train(mmar)
    return mmar


def dices(file: Path) -> dict[str, Any]:
    return {case["name"]: case["metrics"] for case in json.loads(file.read_text())["cases"]}


@pytest.mark.parametrize("exported", [False, True])
def test_it_gives_what_it_gave(
    trained: Path, tmp_path: Path, run_bundle: Any, verify_metadata: Callable[[Path], None], exported: bool
) -> None:
    config = EVALUATION
    if exported:
        export(trained / "models", mmar=trained, onnx=False)
        config = {**EVALUATION, "model_loader": EXPORTED}
    (trained / "config/config_validation.json").write_text(json.dumps(config))
    there = evaluate(trained, overrides={"do_validation": True})
    bundle = migrate(tmp_path / "bundle", trained, ["config/config_validation.json"]).folder
    shutil.rmtree(trained)
    verify_metadata(bundle)
    metadata = json.loads((bundle / "configs/metadata.json").read_text())
    assert metadata["network_data_format"]["inputs"]["image"]["num_channels"] == 1
    scripts = sorted(path.name for path in (bundle / "scripts").rglob("*.py")) if (bundle / "scripts").is_dir() else []
    assert scripts == ([] if exported else ["layers.py", "tiny.py"])
    report = json.loads((bundle / "docs/report.json").read_text())
    assert [file["file"] for file in report["files"]] == ([] if exported else ["custom/tiny.py", "custom/layers.py"])
    run_bundle(bundle, "evaluate")
    assert dices(bundle / "eval/evaluate_stats.json") == there.cases


def test_a_native_one_has_the_users_network(trained: Path, tmp_path: Path, run_bundle: Any) -> None:
    (trained / "custom/tiny.py").write_text(NETWORK.replace("from layers import last", LAYERS))
    (trained / "config/config_validation.json").write_text(json.dumps(EVALUATION))
    bundle = migrate(tmp_path / "bundle", trained, ["config/config_validation.json"], native=True).folder
    assert json.loads((bundle / "configs/evaluate.json").read_text())["network_def"]["_target_"] == "scripts.tiny.Tiny"
    assert "dice: " in run_bundle(bundle, "evaluate", plain=True).stdout
