"""A small catalogue and an MMAR on disk for the tests of the config room."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from clara_compat.components.component import Component, exact
from clara_compat.config.spec import Catalogue
from clara_compat.errors import ClaraError

FAMILIES: dict[type, str] = {}


class Fake(Component):
    fidelity = exact()
    becomes = "a test double"

    def __init_subclass__(cls, family: str, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        FAMILIES[cls] = family


class LoadNifti(Fake, family="transforms"):
    def __init__(self, fields: str | list[str], as_closest_canonical: bool = False) -> None:
        self.fields = fields
        self.canonical = as_closest_canonical


class ConvertToChannelsFirst(Fake, family="transforms"):
    def __init__(self, fields: str | list[str]) -> None:
        self.fields = fields


class ScaleByResolution(Fake, family="transforms"):
    def __init__(self, fields: str | list[str], target_resolution: list[float], is_label: bool = False) -> None:
        self.target_resolution = target_resolution
        self.is_label = is_label


class ScaleIntensityRange(Fake, family="transforms"):
    def __init__(
        self, fields: str | list[str], a_min: float, a_max: float, b_min: float, b_max: float, clip: bool = False
    ) -> None:
        if a_max == a_min:
            raise ValueError("a_min and a_max are equal")
        self.a_min, self.a_max = a_min, a_max


class Crop(Fake, family="transforms"):
    def __init__(self, size: list[int], batch_size: int = 1) -> None:
        if min(size) < 1:
            raise ClaraError(f"size is {size}, expected numbers above 0")
        self.size = size


class Dice(Fake, family="losses"):
    def __init__(self, skip_background: bool = False, smooth: float = 1e-5) -> None:
        self.skip_background = skip_background


class Focal(Fake, family="losses"):
    pass


class Unet(Fake, family="models"):
    def __init__(self, num_classes: int, nf_enc: str = "32,64", use_group_norm: bool = False) -> None:
        self.num_classes = num_classes


class Adam(Fake, family="optimizers"):
    def __init__(self, **args: Any) -> None:
        unknown = args.keys() - {"beta1", "beta2", "epsilon"}
        if unknown:
            raise TypeError(f"Adam has no argument '{min(unknown)}'")


class SegmentationImagePipeline(Fake, family="pipelines"):
    def __init__(
        self,
        data_list_file_path: str,
        data_file_base_dir: str,
        data_list_key: str,
        output_crop_size: list[int] | None = None,
        num_workers: int = 4,
        output_batch_size: int = 1,
    ) -> None:
        self.num_workers = num_workers
        self.path = data_list_file_path


class ComputeAverageDice(Fake, family="metrics"):
    def __init__(self, name: str, field: str, is_key_metric: bool = False, report_path: str | None = None) -> None:
        self.name = name


class TFScanWindowInferer(Fake, family="inferers"):
    def __init__(self, roi_size: list[int]) -> None:
        self.roi_size = roi_size


class StatsHandler(Fake, family="handlers"):
    pass


class NegLoss(Fake, family="aux_ops"):
    def __init__(self, tag: str) -> None:
        self.tag = tag


class ReducePoly(Fake, family="lr_policies"):
    def __init__(self, poly_power: float = 0.9) -> None:
        self.poly_power = poly_power


@pytest.fixture
def catalogue() -> Catalogue:
    return Catalogue({cls.__name__: cls for cls in FAMILIES}, FAMILIES.__getitem__)


@pytest.fixture
def base_config() -> dict[str, Any]:
    """A small valid training config; every test gets its own."""
    return json.loads(BASE)


BASE = """{
  "epochs": 3,
  "num_training_epoch_per_valid": 2,
  "learning_rate": 1e-4,
  "train": {
    "loss": {"name": "Dice", "args": {"skip_background": true}},
    "optimizer": {"name": "Adam"},
    "model": {"name": "Unet", "args": {"num_classes": 2}},
    "pre_transforms": [
      {"name": "LoadNifti", "args": {"fields": ["image", "label"]}},
      {"name": "ConvertToChannelsFirst", "args": {"fields": ["image", "label"]}},
      {"name": "ScaleByResolution#ScaleImg", "args": {"fields": "image", "target_resolution": [1, 1, 1]}},
      {"name": "ScaleByResolution#ScaleLb",
       "args": {"fields": "label", "target_resolution": [1, 1, 1], "is_label": true}},
      {"name": "ScaleIntensityRange",
       "args": {"fields": "image", "a_min": -57, "a_max": 164, "b_min": 0, "b_max": 1, "clip": true}},
      {"name": "Crop", "args": {"size": [64, 64, 64]}}
    ],
    "image_pipeline": {
      "name": "SegmentationImagePipeline",
      "args": {"data_list_file_path": "{DATASET_JSON}", "data_file_base_dir": "{DATA_ROOT}",
               "data_list_key": "training"}
    }
  },
  "validate": {
    "metrics": [{"name": "ComputeAverageDice", "args": {"name": "mean_dice", "field": "model"}}],
    "pre_transforms": [{"ref": "LoadNifti"}, {"ref": "ConvertToChannelsFirst"}, {"ref": "ScaleImg"},
                       {"ref": "ScaleLb"}, {"ref": "ScaleIntensityRange"}],
    "image_pipeline": {
      "name": "SegmentationImagePipeline",
      "args": {"data_list_file_path": "{DATASET_JSON}", "data_file_base_dir": "{DATA_ROOT}",
               "data_list_key": "validation"}
    },
    "inferer": {"name": "TFScanWindowInferer", "args": {"roi_size": [64, 64, 64]}}
  }
}
"""

ENVIRONMENT = {"DATA_ROOT": "/data", "DATASET_JSON": "/data/list.json", "MMAR_CKPT_DIR": "models/run1"}


@pytest.fixture
def mmar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An MMAR with config/config_train.json (BASE) and config/environment.json; PYTHONPATH is empty."""
    monkeypatch.delenv("PYTHONPATH", raising=False)
    folder = tmp_path / "mmar"
    (folder / "config").mkdir(parents=True)
    (folder / "config" / "config_train.json").write_text(BASE)
    (folder / "config" / "environment.json").write_text(json.dumps(ENVIRONMENT))
    return folder
