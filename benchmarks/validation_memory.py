"""How much memory does the validation of a large scan take, decoding, window scan, metrics and auxiliary values in all?

    .venv/bin/python benchmarks/validation_memory.py [--size 512 512 240] [--classes 2 5 14] [--cases 2] [--loss]

For every number of classes a process of its own validates scans of that size through a legacy config, just as training
would (TFScanWindowInferer with windows of 96 voxels, ComputeAverageDice, DiceMaskedOutput), and the most memory it ever
held is printed, with that of an equal process which validates a scan of one window. With ``--loss`` the validation has
NegLoss too: it needs the probabilities, which are else reduced to masks before they are held.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import nibabel
import numpy as np

TARGET_GB = 4.0
ROI = [96, 96, 96]


def write_case(folder: Path, size: list[int], classes: int) -> None:
    """Write a scan as CT scanners make them (int16), and a label in which every class is a slab of a ball."""
    generator = np.random.default_rng(0)
    axes = np.meshgrid(*(np.linspace(-1, 1, n, dtype=np.float32) for n in size), indexing="ij", sparse=True)
    ball = sum(axis**2 for axis in axes) < 0.5
    label = (ball * (1 + np.arange(size[2]) % max(classes - 1, 1))).astype(np.uint8)
    image = (100 * label - 50 + generator.integers(-20, 20, size, dtype=np.int16)).astype(np.int16)
    for name, data in (("image", image), ("label", label)):
        nibabel.save(nibabel.Nifti1Image(data, np.diag([0.8, 0.8, 1.5, 1])), folder / f"{name}.nii.gz")


def config(folder: Path, classes: int, cases: int, loss: bool) -> dict[str, Any]:
    """Return a config of the time that validates the case, several times in a row, with or without NegLoss."""
    item = {"image": "image.nii.gz", "label": "label.nii.gz"}
    (folder / "data.json").write_text(json.dumps({"training": [item], "validation": [item] * cases}))
    pipeline = {
        "data_list_file_path": str(folder / "data.json"),
        "data_file_base_dir": str(folder),
        "output_crop_size": ROI,
        "output_batch_size": 1,
        "num_workers": 0,
    }
    chain = [
        {"name": "LoadNifti", "args": {"fields": ["image", "label"]}},
        {"name": "ConvertToChannelsFirst", "args": {"fields": ["image", "label"]}},
        {
            "name": "ScaleIntensityRange",
            "args": {"fields": "image", "a_min": -57, "a_max": 164, "b_min": 0, "b_max": 1, "clip": True},
        },
    ]
    crop = {"size": ROI, "image_field": "image", "label_field": "label", "pos": 1, "neg": 1}
    network = {"num_classes": classes, "nf_enc": "8,8,8,8", "nf_dec": "8,8,8,8,8,8,8"}
    dice = {"name": "mean_dice", "field": "model", "label_field": "label", "is_key_metric": True}
    negloss = [{"name": "NegLoss", "args": {"tag": "negloss"}}] if loss else []
    fields = ["masked", "negloss"] if loss else ["masked"]
    return {
        "epochs": 1,
        "num_training_epoch_per_valid": 1,
        "learning_rate": 1e-4,
        "cache_gb": 0,
        "train": {
            "loss": {"name": "Dice"},
            "optimizer": {"name": "Adam"},
            "model": {"name": "Unet", "args": network},
            "aux_ops": [
                *negloss,
                {"name": "DiceMaskedOutput", "args": {"tags": ["masked"], "skip_background": True}},
            ],
            "pre_transforms": [*chain, {"name": "FastPosNegRatioCropROI", "args": crop}],
            "image_pipeline": {
                "name": "SegmentationImagePipeline",
                "args": {"data_list_key": "training", **pipeline},
            },
        },
        "validate": {
            "metrics": [
                {"name": "ComputeAverageDice", "args": dice},
                *({"name": "ComputeAverage", "args": {"name": field, "field": field}} for field in fields),
            ],
            "pre_transforms": chain,
            "image_pipeline": {
                "name": "SegmentationImagePipeline",
                "args": {"data_list_key": "validation", **pipeline},
            },
            "inferer": {"name": "TFScanWindowInferer", "args": {"roi_size": ROI}},
        },
    }


def validate(file: str) -> None:
    """Validate as the config says, and print the metrics and the most memory this process ever held, in bytes."""
    import torch
    from monai.bundle import ConfigParser

    from clara_compat.config.workflow import load_train_workflow
    from clara_compat.translate.bundle import Seeds
    from clara_compat.translate.train import translate_train

    torch.set_num_threads(1)
    workflow = load_train_workflow(Path(file))
    bundle = translate_train(workflow, Seeds(0, 0, 0, 0), Path(file).parent / "models")
    parser = ConfigParser(json.loads(json.dumps(bundle.config)))
    parser.get_parsed_content("initialize")
    evaluator = parser.get_parsed_content("validate#evaluator")
    evaluator.run()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"peak": peak, "metrics": evaluator.state.metrics}))


def measure(size: list[int], classes: int, cases: int, loss: bool = False) -> dict[str, Any]:
    """Return what :func:`validate` prints in a process of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_case(folder, size, classes)
        (folder / "config.json").write_text(json.dumps(config(folder, classes, cases, loss)))
        command = [sys.executable, __file__, "--validate", str(folder / "config.json")]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603 -- this very file
        return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, nargs=3, default=[512, 512, 240])
    parser.add_argument("--classes", type=int, nargs="+", default=[2, 5, 14])
    parser.add_argument("--cases", type=int, default=2)
    parser.add_argument("--loss", action="store_true")
    parser.add_argument("--validate", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.validate:
        validate(given.validate)
        return
    for classes in given.classes:
        base = measure(ROI, classes, given.cases, given.loss)["peak"]
        found = measure(given.size, classes, given.cases, given.loss)
        voxels = np.prod(given.size)
        print(f"{classes} classes: {found['peak'] / 1e9:.2f} GB, of which {base / 1e9:.2f} GB for one window")
        print(f"  {(found['peak'] - base) / voxels:.1f} bytes for each voxel; {found['metrics']}")
        held = "probabilities" if given.loss else "masks"
        print(f"ratio validation_memory_{held}_{classes}_classes {found['peak'] / 1e9 / TARGET_GB:.3f} target 1.0")


if __name__ == "__main__":
    main()
