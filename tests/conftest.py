"""Fixtures shared by all tests."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis
import nibabel
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

# A busy machine is no failure.
hypothesis.settings.register_profile("patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("patient")

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def clara_examples() -> Path:
    """Folder of NVIDIA's clara-train-examples (real configs, one real CT scan); skips when it is not there."""
    named = os.environ.get("CLARA_EXAMPLES")
    folder = Path(named) if named else REPOSITORY.parent / "shared" / "data" / "clara-train-examples"
    if not folder.is_dir():
        pytest.skip("the clara-train-examples are not here: set CLARA_EXAMPLES to their folder")
    return folder


SMALL_CONFIG: dict[str, Any] = {
    "epochs": 2,
    "num_training_epoch_per_valid": 1,
    "learning_rate": 1e-3,
    "determinism": {"python_seed": "1", "random_seed": 1, "numpy_seed": 2, "tf_seed": 3},
    "train": {
        "loss": {"name": "Dice"},
        "optimizer": {"name": "Adam"},
        "model": {
            "name": "Unet",
            "args": {"num_classes": 2, "nf_enc": "4,4,4,4", "nf_dec": "4,4,4,4,4,4,4"},
        },
        "pre_transforms": [
            {"name": "LoadNifti", "args": {"fields": ["image", "label"]}},
            {"name": "ConvertToChannelsFirst", "args": {"fields": ["image", "label"]}},
            {
                "name": "ScaleIntensityRange",
                "args": {"fields": "image", "a_min": -50, "a_max": 150, "b_min": 0, "b_max": 1, "clip": True},
            },
            {
                "name": "FastPosNegRatioCropROI",
                "args": {
                    "size": [16, 16, 16],
                    "image_field": "image",
                    "label_field": "label",
                    "deform": False,
                    "rotation": False,
                    "scale": False,
                    "pos": 1,
                    "neg": 1,
                },
            },
            {"name": "ScaleShiftIntensity", "args": {"fields": "image"}},
        ],
        "image_pipeline": {
            "name": "SegmentationImagePipeline",
            "args": {
                "data_list_file_path": "{DATASET_JSON}",
                "data_file_base_dir": "{DATA_ROOT}",
                "data_list_key": "training",
                "output_crop_size": [16, 16, 16],
                "output_batch_size": 2,
                "num_workers": 0,
            },
        },
        "aux_ops": [{"name": "NegLoss", "args": {"tag": "negloss"}}],
    },
    "validate": {
        "metrics": [
            {
                "name": "ComputeAverageDice",
                "args": {"name": "mean_dice", "is_key_metric": True, "field": "model", "label_field": "label"},
            },
            {"name": "ComputeAverage", "args": {"name": "negloss", "field": "negloss"}},
        ],
        "pre_transforms": [{"ref": "LoadNifti"}, {"ref": "ConvertToChannelsFirst"}, {"ref": "ScaleIntensityRange"}],
        "image_pipeline": {
            "name": "SegmentationImagePipeline",
            "args": {
                "data_list_file_path": "{DATASET_JSON}",
                "data_file_base_dir": "{DATA_ROOT}",
                "data_list_key": "validation",
                "output_crop_size": [16, 16, 16],
                "output_batch_size": 1,
                "num_workers": 0,
            },
        },
        "inferer": {"name": "TFScanWindowInferer", "args": {"roi_size": [16, 16, 16]}},
    },
}


def write_scan(folder: Path, name: str, seed: int, shape: tuple[int, ...] = (24, 22, 20)) -> dict[str, str]:
    """Write a small scan with a bright labelled ball, in a rotated and flipped frame, and return its data list item."""
    generator = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"))
    centre = np.array(shape) / 2 + generator.uniform(-2, 2, 3)
    label = (((grid - centre[:, None, None, None]) ** 2).sum(0) < 36).astype(np.uint8)
    image = (generator.normal(0, 15, shape) + 100 * label).astype(np.int16)
    affine = np.array([[0, 1.0, 0, 5], [-1.0, 0, 0, 7], [0, 0, -1.5, 9], [0, 0, 0, 1]])
    for kind, data in (("image", image), ("label", label)):
        nibabel.save(nibabel.Nifti1Image(data, affine), folder / f"{name}_{kind}.nii.gz")
    return {kind: f"{name}_{kind}.nii.gz" for kind in ("image", "label")}


@pytest.fixture(scope="session")
def small_scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with five small scans and their data list."""
    folder = tmp_path_factory.mktemp("scans")
    items = [write_scan(folder, f"case{i}", i) for i in range(5)]
    (folder / "dataset.json").write_text(json.dumps({"training": items[:4], "validation": items[4:]}))
    return folder


@pytest.fixture
def small_mmar(tmp_path: Path, small_scans: Path) -> Callable[..., Path]:
    """Make an MMAR with a small network; ``change`` edits the config in place before it is written."""

    def make(change: Callable[[dict[str, Any]], Any] | None = None, name: str = "mmar") -> Path:
        config = copy.deepcopy(SMALL_CONFIG)
        if change is not None:
            change(config)
        folder = tmp_path / name / "config"
        folder.mkdir(parents=True)
        (folder / "config_train.json").write_text(json.dumps(config, indent=2))
        (folder / "environment.json").write_text(
            json.dumps(
                {
                    "DATA_ROOT": str(small_scans),
                    "DATASET_JSON": str(small_scans / "dataset.json"),
                    "MMAR_CKPT_DIR": "models",
                }
            )
        )
        return folder.parent

    return make


@pytest.fixture(scope="session")
def oblique_affine() -> np.ndarray:
    """A rotated, flipped, shifted affine with voxels of 0.8 x 1.5 x 4 mm."""
    affine = np.eye(4)
    turn = Rotation.from_euler("xyz", [20, -35, 50], degrees=True).as_matrix()
    affine[:3, :3] = turn @ np.diag([-0.8, 1.5, 4.0])
    affine[:3, 3] = [12.0, -200.0, 37.5]
    return affine


@pytest.fixture(scope="session")
def world() -> Callable[[np.ndarray, tuple[int, ...]], np.ndarray]:
    """Return the RAS mm (3, *size) of the voxels of an image of an affine and a size."""

    def places(affine: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
        index = np.indices(size).reshape(len(size), -1)
        return (affine[:3, : len(size)] @ index + affine[:3, 3:]).reshape(3, *size)

    return places
