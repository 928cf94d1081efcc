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
import torch
from monai.bundle import ConfigParser
from monai.data import CacheDataset, DataLoader
from speed_chains import KEYS, augmented_legacy, augmented_monai, legacy_config, write_scans

from clara_compat.config.workflow import load_train_workflow
from clara_compat.translate.bundle import Seeds
from clara_compat.translate.train import translate_train

TARGET = 1.05


def scan(folder: Path, *, real: bool) -> dict[str, str]:
    """Return the files of a scan and its label: synthetic ones of 1 x 1 x 3 mm, or the published CT scan."""
    if real:
        data = Path(os.environ["CLARA_EXAMPLES"]) / "sampleData"
        return {"image": str(data / "imagesTr/spleen_8.nii.gz"), "label": str(data / "labelsTr/spleen_8.nii.gz")}
    write_scans(folder, (256, 256, 60), (1.0, 1.0, 3.0), 1)
    return {field: str(folder / f"{field}_0.nii.gz") for field in KEYS}


def legacy(folder: Path, files: dict[str, str], size: int, patches: int, cache_gb: float | None) -> Callable[[], Any]:
    """Return a function that runs one epoch of the legacy chain."""
    data_list = folder / "list.json"
    data_list.write_text(json.dumps({"training": [files] * patches}))
    path = folder / f"config_{cache_gb}.json"
    path.write_text(json.dumps(legacy_config(data_list, augmented_legacy(size), size, cache_gb=cache_gb)))
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
    files: dict[str, str], size: int, patches: int, shape: tuple[int, ...], *, tuned: bool
) -> Callable[[], Any]:
    """Return a function that runs one epoch of a hand-written MONAI chain."""
    config = {"chain": {"_target_": "Compose", "transforms": augmented_monai(size, shape, tuned=tuned)}}
    chain = ConfigParser(config).get_parsed_content("chain")
    dataset = CacheDataset([files] * patches, chain, hash_as_key=True, copy_cache=False, progress=False)
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
        files = scan(folder, real=chosen.real)
        header = nibabel.load(files["image"])
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
