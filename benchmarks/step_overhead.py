"""Does a legacy config train as fast as a hand-written MONAI loop?

The same network, patches, loss and optimiser run through a Clara config (the bundle config it becomes, with all its
handlers) and through a plain MONAI/PyTorch loop, epoch by epoch in turn in one process. Everything an epoch does is
timed on both sides: loading, steps, logging, saving the weights.

    python benchmarks/step_overhead.py                       # 64^3, the target
    python benchmarks/step_overhead.py --size 32 --rounds 3  # quick
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

import nibabel
import numpy as np
import torch
from ignite.engine import Events
from monai.bundle import ConfigParser
from monai.data import CacheDataset, DataLoader
from monai.transforms import Compose, EnsureChannelFirstd, EnsureTyped, LoadImaged, ScaleIntensityRanged
from torch.utils.tensorboard import SummaryWriter

from clara_compat.config.workflow import load_train_workflow
from clara_compat.engine.losses.dice import ClaraDiceLoss
from clara_compat.engine.networks.unet import ClaraUNet
from clara_compat.run.outputs import prepare
from clara_compat.run.seeds import seeds_of
from clara_compat.translate.train import translate_train

TARGET = 1.02


def make_patches(folder: Path, size: int, count: int) -> list[dict[str, str]]:
    """Write ``count`` patches with labels and the data list; return its items."""
    generator = np.random.default_rng(0)
    items = []
    for i in range(count):
        data = {
            "image": generator.normal(50, 60, (size,) * 3).astype(np.float32),
            "label": (generator.random((size,) * 3) > 0.9).astype(np.float32),
        }
        for field, array in data.items():
            nibabel.save(nibabel.Nifti1Image(array, np.eye(4)), folder / f"{field}{i}.nii")
        items.append({field: f"{field}{i}.nii" for field in data})
    (folder / "dataset.json").write_text(json.dumps({"training": items}))
    return items


def write_config(folder: Path, size: int, batch_size: int, epochs: int) -> Path:
    """Write the Clara config of the comparison."""
    intensity = {"fields": "image", "a_min": -57, "a_max": 164, "b_min": 0, "b_max": 1, "clip": True}
    config = {
        "epochs": epochs,
        "learning_rate": 1e-4,
        "train": {
            "loss": {"name": "Dice"},
            "optimizer": {"name": "Adam"},
            "model": {"name": "Unet", "args": {"num_classes": 2}},
            "pre_transforms": [
                {"name": "LoadNifti", "args": {"fields": ["image", "label"]}},
                {"name": "ConvertToChannelsFirst", "args": {"fields": ["image", "label"]}},
                {"name": "ScaleIntensityRange", "args": intensity},
            ],
            "image_pipeline": {
                "name": "SegmentationImagePipeline",
                "args": {
                    "data_list_file_path": str(folder / "dataset.json"),
                    "data_file_base_dir": str(folder),
                    "data_list_key": "training",
                    "output_crop_size": [size] * 3,
                    "output_batch_size": batch_size,
                    "num_workers": 0,
                },
            },
        },
    }
    path = folder / "config_train.json"
    path.write_text(json.dumps(config))
    return path


class HandWritten:
    """What one writes by hand with MONAI: loader, loop, mean loss, TensorBoard, weights after each epoch."""

    def __init__(self, folder: Path, items: list[dict[str, str]], batch_size: int) -> None:
        keys = ["image", "label"]
        transform = Compose(
            [
                LoadImaged(keys, image_only=True),
                EnsureChannelFirstd(keys),
                ScaleIntensityRanged("image", -57, 164, 0, 1, clip=True),
                EnsureTyped(keys, track_meta=False),
            ]
        )
        data = [{field: str(folder / name) for field, name in item.items()} for item in items]
        self.folder = folder
        dataset = CacheDataset(data, transform, copy_cache=False, progress=False)  # as the legacy side caches, too
        self.loader = DataLoader(dataset, batch_size=batch_size, shuffle=True, num_workers=0)
        self.network = ClaraUNet(3, 1, 2)
        self.optimizer = torch.optim.Adam(self.network.parameters(), 1e-4)
        self.loss = ClaraDiceLoss()
        self.writer = SummaryWriter(str(folder / "by_hand"))
        self.step = 0

    def epoch(self) -> float:
        """Train one epoch and return its seconds."""
        started = time.perf_counter()
        self.network.train()
        total = 0.0
        for batch in self.loader:
            self.optimizer.zero_grad()
            loss = self.loss(self.network(batch["image"]), batch["label"])
            loss.backward()
            self.optimizer.step()
            total += loss.item()
            self.step += 1
            self.writer.add_scalar("train_loss", loss.item(), self.step)
        self.writer.add_scalar("epoch_loss", total / len(self.loader), self.step)
        torch.save(self.network.state_dict(), self.folder / "by_hand.pt")
        return time.perf_counter() - started


def compare(folder: Path, size: int, batch_size: int, steps: int, rounds: int) -> tuple[list[float], list[float]]:
    """Return the seconds of each round's epoch, legacy and by hand; a first round warms both up and is not counted."""
    items = make_patches(folder, size, steps * batch_size)
    workflow = load_train_workflow(write_config(folder, size, batch_size, rounds + 1))
    prepare(folder / "models")
    seeds = seeds_of(workflow.settings.determinism)
    bundle = translate_train(workflow, seeds, folder / "models")
    parser = ConfigParser(bundle.config)
    parser.get_parsed_content("initialize")
    trainer = parser.get_parsed_content("train#trainer")
    by_hand = HandWritten(folder, items, batch_size)
    legacy_seconds: list[float] = []
    hand_seconds: list[float] = []
    started = 0.0

    def start() -> None:
        nonlocal started
        started = time.perf_counter()

    def stop() -> None:
        legacy_seconds.append(time.perf_counter() - started)
        hand_seconds.append(by_hand.epoch())

    # Added last, so that every handler of the run lies inside what is timed.
    trainer.add_event_handler(Events.EPOCH_STARTED, start)
    trainer.add_event_handler(Events.EPOCH_COMPLETED, stop)
    parser.get_parsed_content("run")
    return legacy_seconds[1:], hand_seconds[1:]


def main() -> None:
    """Compare both sides and print the ratio."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--size", type=int, default=64, help="edge of the patches in voxels")
    options.add_argument("--batch-size", type=int, default=1)
    options.add_argument("--steps", type=int, default=4, help="steps per epoch")
    options.add_argument("--rounds", type=int, default=7, help="epochs of each side that count")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        legacy, hand = compare(Path(folder), chosen.size, chosen.batch_size, chosen.steps, chosen.rounds)
    ratio = statistics.median(a / b for a, b in zip(legacy, hand, strict=True))
    for name, seconds in (("legacy config", legacy), ("by hand", hand)):
        print(f"{name:14} {1000 * statistics.median(seconds) / chosen.steps:8.1f} ms per step (median epoch)")
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {chosen.size}^3 x {chosen.batch_size}")
    print(f"ratio step_overhead_{chosen.size} {ratio:.3f} target {TARGET}")


if __name__ == "__main__":
    main()
