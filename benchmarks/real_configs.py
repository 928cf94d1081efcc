"""Train the real GettingStarted configs at their published size on the real CT scan.

For each config: seconds, peak memory of all processes together (proportional set size), loss and Dice. Needs NVIDIA's
clara-train-examples (environment variable CLARA_EXAMPLES).

    python benchmarks/real_configs.py                     # three configs, one epoch each: ten minutes
    python benchmarks/real_configs.py --ten-epochs        # and ten epochs of trn_base.json: the loss must fall
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

MEMORY_TARGET = 5.0  # GB
REPOSITORY = Path(__file__).resolve().parents[1]
CONFIGS = ("trn_base.json", "trn_BYOC_DataLoader.json", "trn_BYOC_transform.json", "trn_BYOC_Arch_loss.json")


def make_mmar(examples: Path, folder: Path) -> Path:
    """Copy the published configs into an MMAR with the user components they name, the broken one mended."""
    shutil.copytree(examples / "GettingStarted" / "config", folder / "config")
    shutil.copytree(REPOSITORY / "tests" / "byoc", folder / "custom")
    for component, module in (("cloned_dice", "myLoss"), ("custom_network", "myNetworkArch")):  # in TensorFlow 1
        source = REPOSITORY / "tests" / "tensorflow" / "components" / f"{component}.py"
        shutil.copy(source, folder / "custom" / f"{module}.py")
    broken = folder / "config" / "trn_BYOC_transform.json"
    broken.write_text(broken.read_text().replace('"a_offset": 200', '"a_max": 164'))
    return folder


def make_npy(examples: Path, folder: Path) -> None:
    """Write the scan, resampled to 1 mm as the numpy config expects it, and the data list that names it."""
    from clara_compat.engine.transforms.load_nifti import LoadNiftid
    from clara_compat.engine.transforms.resize_to_spacing import ResizeToSpacingd

    data = {
        "image": str(examples / "sampleData/imagesTr/spleen_8.nii.gz"),
        "label": str(examples / "sampleData/labelsTr/spleen_8.nii.gz"),
    }
    item = LoadNiftid(["image", "label"])(data)
    for field, mode in (("image", "linear"), ("label", "nearest-exact")):
        resampled = ResizeToSpacingd(field, [1.0, 1.0, 1.0], mode)(item)[field]
        np.save(folder / f"{field}.npy", resampled.numpy()[0])
    item = {field: f"{field}.npy" for field in data}
    (folder / "dataset.json").write_text(json.dumps({"training": [item] * 8, "validation": [item]}))


def peak_memory(process: subprocess.Popen[str]) -> list[float]:
    """Watch a process and its children; the list's only number becomes the peak in GB."""
    peak = [0.0]

    def watch() -> None:
        while process.poll() is None:
            peak[0] = max(peak[0], sum(map(_proportional_set_size, _family(process.pid))) / 2**20)
            time.sleep(0.5)

    threading.Thread(target=watch, daemon=True).start()
    return peak


def _family(pid: int) -> list[int]:
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = task.read_text().split()
        except OSError:
            continue
        for child in children:
            found += _family(int(child))
    return found


def _proportional_set_size(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def train(mmar: Path, config: str, data_root: Path, data_list: Path, *more: str) -> tuple[dict, float, float]:
    """Train through the legacy command; return the statistics, the seconds and the peak memory in GB."""
    command = [sys.executable, "-m", "nvmidl.apps.train", "-m", str(mmar), "-c", f"config/{config}"]
    command += ["-e", "config/environment.json", "--set", f"DATA_ROOT={data_root}", f"DATASET_JSON={data_list}"]
    command += [f"MMAR_CKPT_DIR=models/{config}", *more]
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, text=True)  # noqa: S603 -- our own command
    peak = peak_memory(process)
    if process.wait() != 0:
        sys.exit(f"{config} failed")
    stats = json.loads((mmar / "models" / config / "train_stats.json").read_text())
    return stats, time.perf_counter() - started, peak[0]


def main() -> None:
    """Run the configs and print what they took."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--ten-epochs", action="store_true", help="also train trn_base.json for ten epochs")
    options.add_argument("--config", choices=CONFIGS, help="only this one")
    chosen = options.parse_args()
    examples = Path(os.environ.get("CLARA_EXAMPLES", REPOSITORY.parent / "shared/data/clara-train-examples"))
    with tempfile.TemporaryDirectory() as folder:
        mmar, npy = make_mmar(examples, Path(folder) / "mmar"), Path(folder) / "npy"
        npy.mkdir()
        make_npy(examples, npy)
        published = (examples / "sampleData", examples / "sampleData" / "dataset_FLclient.json")
        ratios = []
        for config in CONFIGS if chosen.config is None else [chosen.config]:
            places = (npy, npy / "dataset.json") if "DataLoader" in config else published
            stats, seconds, memory = train(mmar, config, *places, "epochs=1")
            last = stats["epochs"][-1]
            dice = last["metrics"]["mean_dice"]
            print(
                f"{config:26} {seconds:7.1f} s  {memory:5.2f} GB  loss {last['loss']:.4f}  Dice {dice:.4f}", flush=True
            )
            ratios.append(f"ratio peak_GB_{config.removesuffix('.json')} {memory:.2f} target {MEMORY_TARGET}")
        if chosen.ten_epochs:
            stats, seconds, _ = train(mmar, CONFIGS[0], *published, "epochs=10", "num_training_epoch_per_valid=10")
            losses = [epoch["loss"] for epoch in stats["epochs"]]
            print(f"ten epochs of {CONFIGS[0]}: {seconds:.1f} s, losses {' '.join(f'{loss:.4f}' for loss in losses)}")
            ratios.append(f"ratio loss_last_two_over_first_two {sum(losses[-2:]) / sum(losses[:2]):.3f} target 1.0")
    print("\n".join(ratios))


if __name__ == "__main__":
    main()
