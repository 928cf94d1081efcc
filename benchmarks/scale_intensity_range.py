"""Is the engine's ScaleIntensityRanged faster than MONAI's of the same name?

Both scale the same volume, in turns.

    python benchmarks/scale_intensity_range.py
"""

from __future__ import annotations

import argparse
import statistics
import time

import monai.transforms
import torch
from monai.data import MetaTensor

from clara_compat.engine.transforms.scale_intensity_range import ScaleIntensityRanged

TARGET = 0.4
WINDOW = {"a_min": -57, "a_max": 164, "b_min": 0.0, "b_max": 1.0, "clip": True}


def main() -> None:
    """Compare both classes and print the ratio."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--size", type=int, nargs=3, default=(402, 402, 240), help="voxels of the volume")
    options.add_argument("--rounds", type=int, default=15)
    options.add_argument("--threads", type=int, default=1)
    chosen = options.parse_args()
    torch.set_num_threads(chosen.threads)
    item = {"image": MetaTensor(torch.randn(1, *chosen.size) * 500)}
    sides = {
        "monai": monai.transforms.ScaleIntensityRanged("image", **WINDOW),
        "engine": ScaleIntensityRanged("image", **WINDOW),
        "x + 1": lambda item: item["image"].as_tensor() + 1,
    }
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(chosen.rounds + 1):
        for name, run in sides.items():
            started = time.perf_counter()
            run(item)
            seconds[name].append(time.perf_counter() - started)
    for name, each in seconds.items():
        print(f"{name:8} {1000 * statistics.median(each[1:]):8.1f} ms (median)")
    ratio = statistics.median(a / b for a, b in zip(seconds["engine"][1:], seconds["monai"][1:], strict=True))
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {' x '.join(map(str, chosen.size))} voxels")
    print(f"ratio scale_intensity_range {ratio:.3f} target {TARGET}")


if __name__ == "__main__":
    main()
