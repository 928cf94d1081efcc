"""The table of the old Performance notebook, on MONAI: what do batching by transform and a cache still bring?

Clara's notebook trained four configs on 32 copies of one scan: a baseline, crops that make the batch, a cache, both.
This trains the same published configs (CLARA_EXAMPLES names NVIDIA's clara-train-examples), unmodified but for smaller
crops, and prints seconds per epoch and per sample beside the figures NVIDIA published. Clara's baseline read and
resampled every scan anew in every epoch; here what is deterministic is cached whatever the config says, so the
unmodified baseline should need no tuning.

    CLARA_EXAMPLES=... python benchmarks/legacy_table.py           # 32^3 crops, minutes on a CPU
    CLARA_EXAMPLES=... python benchmarks/legacy_table.py --full    # 128^3 crops as published, for a GPU
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
from pathlib import Path
from typing import Any

import torch

import clara_compat

TARGET = 1.15
CONFIGS = {
    "baseline": ("trn1_base", 1778),
    "batch by transform": ("trn1_BT", 463),
    "cache": ("trn1_cache", 344),
    "both": ("trn1_BT_cache", 311),
}
"""Published config and seconds of 160 steps of 4 samples on a V100 (10 MB scan), by the notebook's names."""
CLARA_SAMPLES = 160 * 4


def train(examples: Path, name: str, folder: Path, *, full: bool, epochs: int) -> tuple[float, list[float], int]:
    """Train one config; return the seconds of its first epoch, of the later ones, and samples per epoch."""
    file = examples / f"Performance/configDemo/{name}.json"
    chain = json.loads(file.read_text())["train"]["pre_transforms"]
    crop = next(i for i, one in enumerate(chain) if "Crop" in one["name"])
    data = examples / "sampleData"
    overrides: dict[str, Any] = {
        "DATA_ROOT": str(data),
        "DATASET_JSON": str(data / "dataset_28GB.json"),
        "MMAR_CKPT_DIR": str(folder),
        "epochs": epochs,
        "validate_at_end": False,
    }
    if not full:
        overrides[f"train.pre_transforms[{crop}].args.size"] = [32, 32, 32]
        overrides["train.image_pipeline.args.output_crop_size"] = [32, 32, 32]
    result = clara_compat.train(examples / "Performance", file, overrides=overrides)
    first, *later = [epoch["seconds"] for epoch in result.stats["epochs"]]
    crops = chain[crop]["args"].get("batch_size", 1)
    return first, later, len(result.parser.get_parsed_content("train#plan")) * crops


def main() -> None:
    """Train the configs in turns and print the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument(
        "--full", action="store_true", help="crops as published (128^3): 12 GB, a minute a step on a CPU"
    )
    options.add_argument("--epochs", type=int, default=4, help="per training; the first fills the cache")
    options.add_argument("--rounds", type=int, default=3, help="trainings of each config, in turns")
    chosen = options.parse_args()
    examples = Path(os.environ["CLARA_EXAMPLES"])
    firsts: dict[str, list[float]] = {side: [] for side in CONFIGS}
    samples: dict[str, list[float]] = {side: [] for side in CONFIGS}
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(chosen.rounds):
            for side, (name, _) in CONFIGS.items():
                where = Path(folder) / f"{name}_{turn}"
                first, later, count = train(examples, name, where, full=chosen.full, epochs=chosen.epochs)
                firsts[side].append(first)
                samples[side].append(statistics.median(later) / count)
    tuned = statistics.median(samples["both"])
    clara_tuned = CONFIGS["both"][1] / CLARA_SAMPLES
    print(f"{'config':20}{'first epoch':>12}{'ms a sample':>13}{'to tuned':>10}{'Clara (V100)':>14}{'to tuned':>10}")
    for side, (_, published) in CONFIGS.items():
        here, clara = statistics.median(samples[side]), published / CLARA_SAMPLES
        print(
            f"{side:20}{statistics.median(firsts[side]):10.1f} s{1000 * here:13.1f}{here / tuned:10.2f}"
            f"{1000 * clara:11.0f} ms{clara / clara_tuned:10.2f}"
        )
    size = "128^3" if chosen.full else "32^3"
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, crops of {size}, after the first epoch")
    pairs = zip(samples["baseline"], samples["both"], strict=True)
    print(f"ratio legacy_table_baseline {statistics.median(a / b for a, b in pairs):.3f} target {TARGET}")


if __name__ == "__main__":
    main()
