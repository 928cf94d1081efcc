"""Fixtures of evaluations: an MMAR whose network is known in every voxel."""

from __future__ import annotations

import copy
import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

EVALUATION: dict[str, Any] = {
    "batch_size": 1,
    "DATA_LIST_KEY": "training",
    "inferer": {"name": "TFScanWindowInferer", "args": {"roi_size": [16, 16, 16], "batch_size": 2}},
    "model_loader": {"name": "FrozenGraphModelLoader", "args": {"model_file_path": "{MMAR_CKPT_DIR}/model.trt.pb"}},
    "pre_transforms": [
        {"name": "LoadNifti", "args": {"fields": ["image"]}},
        {"name": "ConvertToChannelsFirst", "args": {"fields": ["image"]}},
        {
            "name": "ScaleIntensityRange",
            "args": {"fields": "image", "a_min": 0, "a_max": 100, "b_min": 0, "b_max": 1, "clip": True},
        },
    ],
    "post_transforms": [
        {"name": "ArgmaxAcrossChannels", "args": {"fields": "model"}},
        {"name": "SplitBasedOnLabel", "args": {"field": "model", "label_names": ["pred_0", "pred_1"]}},
        {
            "name": "CopyProperties",
            "args": {"fields": ["model", "pred_0", "pred_1"], "from_field": "image", "properties": ["affine"]},
        },
    ],
    "label_transforms": [
        {"name": "LoadNifti", "args": {"fields": ["label"]}},
        {"name": "ConvertToChannelsFirst", "args": {"fields": ["label"]}},
        {"name": "SplitBasedOnLabel", "args": {"field": "label", "label_names": ["label_0", "label_1"]}},
    ],
    "val_metrics": [
        {
            "name": "ComputeAverageDice",
            "args": {
                "name": "dice",
                "field": "pred_1",
                "label_field": "label_1",
                "report_path": "{MMAR_EVAL_OUTPUT_PATH}",
            },
        },
    ],
    "writers": [
        {
            "name": "WriteNifti",
            "args": {"field": "model", "dtype": "uint8", "write_path": "{MMAR_EVAL_OUTPUT_PATH}"},
        },
        {
            "name": "WriteNifti",
            "args": {"field": "pred_1", "dtype": "uint8", "write_path": "{MMAR_EVAL_OUTPUT_PATH}"},
        },
    ],
}


class Threshold(nn.Module):
    """Class 1 where the image is above 0.5, class 0 elsewhere: two channels that sum to one."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        bright = (image[:, :1] > 0.5).to(image.dtype)
        return torch.cat([1 - bright, bright], dim=1)


class Mean(nn.Module):
    """Classifies a picture by its mean: (N, 2)."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        mean = image.mean(dim=[1, 2, 3])
        return torch.stack([1 - mean, mean], dim=1)


def export(network: nn.Module, file: Path, example: torch.Tensor) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace(network, example).save(str(file))


@pytest.fixture
def evaluation_mmar(tmp_path: Path, small_scans: Path) -> Callable[..., Path]:
    """Make an MMAR to evaluate; ``change`` edits its config in place. Its network is :class:`Threshold`."""

    def make(change: Callable[[dict[str, Any]], Any] | None = None, name: str = "mmar") -> Path:
        config = copy.deepcopy(EVALUATION)
        if change is not None:
            change(config)
        folder = tmp_path / name / "config"
        folder.mkdir(parents=True)
        (folder / "config_validation.json").write_text(json.dumps(config, indent=2))
        environment = {"DATA_ROOT": str(small_scans), "DATASET_JSON": str(small_scans / "dataset.json")}
        (folder / "environment.json").write_text(json.dumps(environment))
        (folder.parent / "models").mkdir()
        export(Threshold(), folder.parent / "models/model.ts", torch.rand(1, 1, 16, 16, 16))
        return folder.parent

    return make


@pytest.fixture
def classifying_mmar(evaluation_mmar: Callable[..., Path]) -> Path:
    """An MMAR that classifies pictures; its network is :class:`Mean`."""

    def change(config: dict[str, Any]) -> None:
        del config["inferer"]
        config["batch_size"] = 2
        config["pre_transforms"] = [
            {"name": "LoadPng", "args": {"fields": ["image"]}},
            {"name": "ConvertToChannelsFirst", "args": {"fields": ["image"]}},
            {
                "name": "ScaleIntensityRange",
                "args": {"fields": "image", "a_min": 0, "a_max": 255, "b_min": 0, "b_max": 1},
            },
        ]
        config["post_transforms"] = config["label_transforms"] = config["val_metrics"] = []
        config["writers"] = [
            {
                "name": "WriteClassificationResult",
                "args": {"field": "model", "write_path": "{MMAR_EVAL_OUTPUT_PATH}"},
            }
        ]

    mmar = evaluation_mmar(change)
    export(Mean(), mmar / "models/model.ts", torch.rand(2, 1, 8, 8))
    return mmar
