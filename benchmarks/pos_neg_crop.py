"""Are the engine's crops by foreground and background faster than MONAI's RandCropByPosNegLabeld?

Both cut the same number of regions out of the same scan, in turns; the label is searched in every call, as in a chain
without precomputed indices (MONAI's FgBgToIndicesd).

    python benchmarks/pos_neg_crop.py
"""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np
import torch
from monai.data import MetaTensor
from monai.transforms import RandCropByPosNegLabeld

from clara_compat.engine.transforms.crop_pos_neg_roi import RandCropPosNegROId

TARGETS = {"organ": 0.2, "one_voxel": 0.3, "nothing": 0.3}
"""What is marked: a block of a fifth of each axis, one voxel, nothing."""


def main() -> None:
    """Compare both classes on three labels and print the ratios."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--size", type=int, nargs=3, default=(400, 400, 240), help="voxels of the scan")
    options.add_argument("--crop", type=int, nargs=3, default=(96, 96, 96), help="voxels of a region")
    options.add_argument("--regions", type=int, default=4)
    options.add_argument("--rounds", type=int, default=15)
    options.add_argument("--threads", type=int, default=1)
    chosen = options.parse_args()
    torch.set_num_threads(chosen.threads)
    image = MetaTensor(torch.randn(1, *chosen.size))
    lines = []
    for name, target in TARGETS.items():
        item = {"image": image, "label": _label(name, chosen.size)}
        law = {"spatial_size": chosen.crop, "pos": 1, "neg": 1, "num_samples": chosen.regions}
        sides = {
            "engine": RandCropPosNegROId("image", "label", **law),
            "monai": RandCropByPosNegLabeld(["image", "label"], label_key="label", **law),
        }
        seconds: dict[str, list[float]] = {side: [] for side in sides}
        for seed in range(chosen.rounds + 1):
            for side, crop in sides.items():
                crop.set_random_state(seed)
                started = time.perf_counter()
                crop(item)
                seconds[side].append(time.perf_counter() - started)
        medians = {side: 1000 * statistics.median(each[1:]) for side, each in seconds.items()}
        print(f"{name:10}", ", ".join(f"{side} {median:.1f} ms (median)" for side, median in medians.items()))
        ratio = statistics.median(a / b for a, b in zip(seconds["engine"][1:], seconds["monai"][1:], strict=True))
        lines.append(f"ratio pos_neg_crop_{name} {ratio:.3f} target {target}")
    size = " x ".join(map(str, chosen.size))
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {chosen.regions} crops out of {size} voxels")
    print("\n".join(lines))


def _label(marked: str, size: list[int]) -> MetaTensor:
    label = torch.zeros(1, *size)
    low = np.array(size) * 2 // 5
    length = {"organ": np.array(size) // 5, "one_voxel": 1, "nothing": 0}[marked] + 0 * low
    label[(0, *(slice(a, a + n) for a, n in zip(low, length, strict=True)))] = 1
    return MetaTensor(label)


if __name__ == "__main__":
    main()
