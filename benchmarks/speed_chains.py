"""Data and transform chains of the speed benchmarks, as a Clara config names them and as one writes them with MONAI."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nibabel
import numpy as np

KEYS = ["image", "label"]
_WINDOW = {"a_min": -57, "a_max": 164, "b_min": 0, "b_max": 1, "clip": True}


def write_scans(folder: Path, shape: tuple[int, int, int], spacing: tuple[float, float, float], count: int) -> Path:
    """Write scans with a labelled organ, and the data list that names them; return the list.

    Args:
        folder: where the files go.
        shape: voxels.
        spacing: mm.
        count: how many.
    """
    rng = np.random.default_rng(0)
    organ = tuple(slice(int(0.35 * n), int(0.6 * n)) for n in shape)
    items = []
    for number in range(count):
        label = np.zeros(shape, np.uint8)
        label[organ] = 1
        arrays = {"image": (rng.normal(40, 30, shape) + 60 * label).astype(np.int16), "label": label}
        for field, array in arrays.items():
            nibabel.save(nibabel.Nifti1Image(array, np.diag([*spacing, 1.0])), folder / f"{field}_{number}.nii.gz")
        items.append({field: f"{field}_{number}.nii.gz" for field in KEYS})
    path = folder / "dataset.json"
    path.write_text(json.dumps({"training": items}))
    return path


def ready_legacy() -> list[dict[str, Any]]:
    """Return Clara's chain without anything random: what it makes lies ready after the first epoch."""
    return [
        {"name": "LoadNifti", "args": {"fields": KEYS}},
        {"name": "ConvertToChannelsFirst", "args": {"fields": KEYS}},
        {"name": "ScaleIntensityRange", "args": {"fields": "image", **_WINDOW}},
    ]


def augmented_legacy(size: int) -> list[dict[str, Any]]:
    """Return Clara's chain of ``trn1_base`` of the published Performance demos: resampled, cropped, augmented."""
    resolution = {"target_resolution": [1.0, 1.0, 1.0]}
    off = {"deform": False, "rotation": False, "scale": False}
    crop = {"size": [size] * 3, "image_field": "image", "label_field": "label", **off}
    loading, channels, window = ready_legacy()
    return [
        loading,
        channels,
        {"name": "ScaleByResolution", "args": {"fields": "image", **resolution}},
        {"name": "ScaleByResolution", "args": {"fields": "label", "is_label": True, **resolution}},
        window,
        {"name": "FastPosNegRatioCropROI", "args": crop},
        {"name": "RandomSpatialFlip", "args": {"fields": KEYS}},
        {"name": "ScaleShiftIntensity", "args": {"fields": "image"}},
        {"name": "ScaleIntensityOscillation", "args": {"fields": "image", "magnitude": 0.1}},
    ]


def ready_monai() -> list[dict[str, Any]]:
    """Return MONAI's chain without anything random, as entries of a bundle config."""
    return [
        {"_target_": "LoadImaged", "keys": KEYS, "image_only": True},
        {"_target_": "EnsureChannelFirstd", "keys": KEYS},
        {"_target_": "ScaleIntensityRanged", "keys": "image", **_WINDOW},
        {"_target_": "EnsureTyped", "keys": KEYS, "track_meta": False},
    ]


def augmented_monai(size: int, shape: tuple[int, ...], *, tuned: bool = True) -> list[dict[str, Any]]:
    """Return MONAI's chain with the same crops and augmentations, as entries of a bundle config.

    Args:
        size: edge of the crops in voxels.
        shape: of the scans at 1 mm.
        tuned: find the voxels of foreground and background once, in the cache, as a careful user does.
    """
    indices = [{"_target_": "FgBgToIndicesd", "keys": "label"}] if tuned else []
    known = {"fg_indices_key": "label_fg_indices", "bg_indices_key": "label_bg_indices"} if tuned else {}
    loading, channels, window, plain = ready_monai()
    crop = {"keys": KEYS, "label_key": "label", "spatial_size": [size] * 3, "num_samples": 1, **known}
    return [
        loading,
        channels,
        {"_target_": "Resized", "keys": "image", "spatial_size": list(shape), "mode": "trilinear"},
        {"_target_": "Resized", "keys": "label", "spatial_size": list(shape), "mode": "nearest-exact"},
        window,
        {"_target_": "EnsureTyped", "keys": KEYS},
        *indices,
        {"_target_": "RandCropByPosNegLabeld", **crop},
        {"_target_": "SelectItemsd", "keys": KEYS},
        *({"_target_": "RandFlipd", "keys": KEYS, "prob": 0.5, "spatial_axis": axis} for axis in range(3)),
        {"_target_": "RandScaleIntensityd", "keys": "image", "factors": 0.1, "prob": 1.0},
        {"_target_": "RandStdShiftIntensityd", "keys": "image", "factors": 0.1, "prob": 1.0},
        {"_target_": "RandShiftIntensityd", "keys": "image", "offsets": 0.1, "prob": 1.0},
        plain,
    ]


def legacy_config(data_list: Path, chain: list[dict[str, Any]], size: int, **others: Any) -> dict[str, Any]:
    """Return a Clara config that trains on a data list.

    Args:
        data_list: of :func:`write_scans`.
        chain: its transforms.
        size: edge of what the network gets, in voxels.
        others: ``epochs``, ``model``, ``batch_size``, ``num_workers`` and further top-level values.
    """
    model = others.pop("model", {"name": "Unet", "args": {"num_classes": 2}})
    pipeline = {
        "data_list_file_path": str(data_list),
        "data_file_base_dir": str(data_list.parent),
        "data_list_key": "training",
        "output_crop_size": [size] * 3,
        "output_batch_size": others.pop("batch_size", 4),
        "num_workers": others.pop("num_workers", 0),
    }
    return {
        "epochs": 1,
        "learning_rate": 1e-4,
        **others,
        "train": {
            "loss": {"name": "Dice"},
            "optimizer": {"name": "Adam"},
            "model": model,
            "pre_transforms": chain,
            "image_pipeline": {"name": "SegmentationImagePipeline", "args": pipeline},
        },
    }
