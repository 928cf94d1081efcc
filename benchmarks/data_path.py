"""What does a training patch cost on the data side?

The same scan, crops and augmentations four ways, epoch by epoch in turn in one process:

- a legacy config with its cache, as it runs unless told otherwise;
- the same config without a cache (``--cache-gb 0``), as Clara ran a plain pipeline;
- what a careful MONAI user writes by hand: ``CacheDataset`` without copies, foreground indices found once;
- the same by hand without looking for the indices beforehand, as most examples do.

    python benchmarks/data_path.py                 # 96^3 patches of a synthetic scan
    CLARA_EXAMPLES=... python benchmarks/data_path.py --real --size 64
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import torch
from monai.bundle import ConfigParser
from monai.data import CacheDataset, DataLoader
from monai.transforms import (
    Compose,
    EnsureChannelFirstd,
    EnsureTyped,
    FgBgToIndicesd,
    LoadImaged,
    RandCropByPosNegLabeld,
    RandFlipd,
    RandScaleIntensityd,
    RandShiftIntensityd,
    RandStdShiftIntensityd,
    Resized,
    ScaleIntensityRanged,
    SelectItemsd,
)

from clara_compat.config.workflow import load_train_workflow
from clara_compat.translate.bundle import Seeds
from clara_compat.translate.train import translate_train

TARGET = 1.05
KEYS = ["image", "label"]


def synthetic_scan(folder: Path) -> tuple[str, str]:
    """Write a scan of 256 x 256 x 60 voxels of 1 x 1 x 3 mm with a labelled organ; return its files."""
    size = (256, 256, 60)
    rng = np.random.default_rng(0)
    label = np.zeros(size, np.uint8)
    label[90:150, 100:170, 20:40] = 1
    image = (rng.normal(40, 30, size) + 60 * label).astype(np.int16)
    for name, array in (("image", image), ("label", label)):
        nibabel.save(nibabel.Nifti1Image(array, np.diag([1.0, 1.0, 3.0, 1.0])), folder / f"{name}.nii.gz")
    return str(folder / "image.nii.gz"), str(folder / "label.nii.gz")


def real_scan() -> tuple[str, str]:
    """Return the published CT scan and its label."""
    data = Path(os.environ["CLARA_EXAMPLES"]) / "sampleData"
    return str(data / "imagesTr/spleen_8.nii.gz"), str(data / "labelsTr/spleen_8.nii.gz")


def legacy(folder: Path, files: tuple[str, str], size: int, patches: int, cache_gb: float | None) -> Callable[[], Any]:
    """Return a function that runs one epoch of the legacy chain (``trn1_base`` of the published Performance demos)."""
    (folder / "list.json").write_text(json.dumps({"training": [dict(zip(KEYS, files, strict=True))] * patches}))
    resolution = {"target_resolution": [1.0, 1.0, 1.0]}
    off = {"deform": False, "rotation": False, "scale": False}
    config = {
        "epochs": 1,
        "learning_rate": 1e-4,
        "cache_gb": cache_gb,
        "train": {
            "loss": {"name": "Dice"},
            "model": {"name": "Unet", "args": {"num_classes": 2}},
            "pre_transforms": [
                {"name": "LoadNifti", "args": {"fields": KEYS}},
                {"name": "ConvertToChannelsFirst", "args": {"fields": KEYS}},
                {"name": "ScaleByResolution", "args": {"fields": "image", **resolution}},
                {"name": "ScaleByResolution", "args": {"fields": "label", "is_label": True, **resolution}},
                {
                    "name": "ScaleIntensityRange",
                    "args": {"fields": "image", "a_min": -57, "a_max": 164, "b_min": 0, "b_max": 1, "clip": True},
                },
                {
                    "name": "FastPosNegRatioCropROI",
                    "args": {"size": [size] * 3, "image_field": "image", "label_field": "label", **off},
                },
                {"name": "RandomSpatialFlip", "args": {"fields": KEYS}},
                {"name": "ScaleShiftIntensity", "args": {"fields": "image"}},
                {"name": "ScaleIntensityOscillation", "args": {"fields": "image", "magnitude": 0.1}},
            ],
            "image_pipeline": {
                "name": "SegmentationImagePipeline",
                "args": {
                    "data_list_file_path": str(folder / "list.json"),
                    "data_file_base_dir": str(folder),
                    "data_list_key": "training",
                    "output_crop_size": [size] * 3,
                    "output_batch_size": 4,
                    "num_workers": 0,
                },
            },
        },
    }
    path = folder / f"config_{cache_gb}.json"
    path.write_text(json.dumps(config))
    bundle = translate_train(load_train_workflow(path), Seeds(0, 0, 0, 0), folder)
    parser = ConfigParser(json.loads(json.dumps(bundle.config)))
    loader = parser.get_parsed_content("train#dataloader")
    epoch = 0

    def run() -> None:
        nonlocal epoch
        epoch += 1
        loader.sampler.set_epoch(epoch)
        for _ in loader:
            pass

    return run


def by_hand(
    files: tuple[str, str], size: int, patches: int, shape: tuple[int, ...], *, tuned: bool
) -> Callable[[], Any]:
    """Return a function that runs one epoch of a hand-written MONAI chain."""
    indices = [FgBgToIndicesd("label")] if tuned else []
    known = {"fg_indices_key": "label_fg_indices", "bg_indices_key": "label_bg_indices"} if tuned else {}
    chain = Compose(
        [
            LoadImaged(KEYS, image_only=True),
            EnsureChannelFirstd(KEYS),
            Resized("image", shape, mode="trilinear"),
            Resized("label", shape, mode="nearest-exact"),
            ScaleIntensityRanged("image", -57, 164, 0, 1, clip=True),
            EnsureTyped(KEYS),
            *indices,
            RandCropByPosNegLabeld(KEYS, "label", [size] * 3, num_samples=1, **known),
            SelectItemsd(KEYS),
            *(RandFlipd(KEYS, prob=0.5, spatial_axis=axis) for axis in range(3)),
            RandScaleIntensityd("image", 0.1, prob=1.0),
            RandStdShiftIntensityd("image", 0.1, prob=1.0),
            RandShiftIntensityd("image", 0.1, prob=1.0),
            EnsureTyped(KEYS, track_meta=False),
        ]
    )
    data = [dict(zip(KEYS, files, strict=True))] * patches
    dataset = CacheDataset(data, chain, hash_as_key=True, copy_cache=False, progress=False)
    loader = DataLoader(dataset, batch_size=4, shuffle=True, num_workers=0)

    def run() -> None:
        for _ in loader:
            pass

    return run


def main() -> None:
    """Run all in turns and print milliseconds per patch and ratios."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--size", type=int, default=96, help="edge of the patches in voxels")
    options.add_argument("--patches", type=int, default=16, help="patches per epoch")
    options.add_argument("--rounds", type=int, default=7, help="epochs of each side that count")
    options.add_argument("--real", action="store_true", help="the published CT scan (CLARA_EXAMPLES names its folder)")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = real_scan() if chosen.real else synthetic_scan(folder)
        header = nibabel.load(files[0])
        shape = tuple(round(n * float(mm)) for n, mm in zip(header.shape, header.header.get_zooms(), strict=True))
        sides = {
            "legacy, cached": legacy(folder, files, chosen.size, chosen.patches, None),
            "by hand, tuned": by_hand(files, chosen.size, chosen.patches, shape, tuned=True),
            "by hand": by_hand(files, chosen.size, chosen.patches, shape, tuned=False),
        }
        uncached = legacy(folder, files, chosen.size, 4, 0)
        seconds: dict[str, list[float]] = {side: [] for side in sides}
        for turn in range(chosen.rounds + 1):  # the first fills caches and warms up
            for side, run in sides.items():
                started = time.perf_counter()
                run()
                if turn:
                    seconds[side].append((time.perf_counter() - started) / chosen.patches)
        started = time.perf_counter()
        uncached()
        seconds["legacy, no cache"] = [(time.perf_counter() - started) / 4]
    for side, values in seconds.items():
        print(f"{side:18} {1000 * statistics.median(values):8.1f} ms per patch (median epoch)")
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {chosen.size}^3 out of {shape}")
    pairs = zip(seconds["legacy, cached"], seconds["by hand, tuned"], strict=True)
    print(f"ratio data_path_cached {statistics.median(a / b for a, b in pairs):.3f} target {TARGET}")


if __name__ == "__main__":
    main()
