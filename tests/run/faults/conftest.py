"""What injects faults into real small trainings, and what is true after each."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import nibabel
import pytest
import torch
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader

from clara_compat.cli.main import main

_TOP = """
import os
import resource
import signal
from pathlib import Path

import numpy as np
from ai4med.common.train_handler import TrainHandler
from ai4med.components.transforms.transformer import Transformer
from clara_compat.engine.item_context import current_item
"""


@dataclass
class Faulty:
    """An MMAR with a fault, its own scans, and how its training ended.

    Args:
        mmar: the folder.
        scans: its scans: four to train with (``case0`` ...), three to validate with (``case4`` ...).
        capfd: what was printed.
        caplog: what was logged.
    """

    mmar: Path
    scans: Path
    capfd: pytest.CaptureFixture[str]
    caplog: pytest.LogCaptureFixture
    code: int | None = None
    out: str = ""
    err: str = ""

    @property
    def models(self) -> Path:
        return self.mmar / "models"

    @property
    def stats(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.models / "train_stats.json").read_text())
        return found

    @property
    def log(self) -> str:
        return self.caplog.text

    def train(self, *more: str) -> Faulty:
        self.caplog.clear()
        with pytest.raises(SystemExit) as end:
            main(["train", "-m", str(self.mmar), *more])
        self.code = int(end.value.code or 0)
        captured = self.capfd.readouterr()
        self.out, self.err = captured.out, captured.err
        return self

    def message(self) -> str:
        """Return the one message of a training that ended with exit code 2."""
        assert self.code == 2, self.err
        assert "Traceback" not in self.out + self.err
        [line] = self.err.strip().splitlines()
        return line

    def check_files(self, *expected: str) -> None:
        """See that these files are there, that each is readable whole, and that nothing temporary is left."""
        check_whole(self.models)
        names = ("model.pt", "final_model.pt", "checkpoint.pt", "train_stats.json", "validation_cases.json")
        assert sorted(name for name in names if (self.models / name).exists()) == sorted(expected)


def check_whole(folder: Path) -> None:
    for file in [one for one in folder.rglob("*") if one.is_file()]:
        assert not file.name.startswith("."), f"{file} is left"
        if file.suffix == ".pt":
            torch.load(file, weights_only=True)
        elif file.suffix == ".json":
            json.loads(file.read_text())
        elif file.name.endswith(".nii.gz"):
            nibabel.load(file).get_fdata()
        elif "tfevents" in file.name:
            assert list(RawEventFileLoader(str(file)).Load())


@pytest.fixture
def faulty(
    small_mmar: Callable[..., Path],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    write_scans: Callable[[Path], None],
) -> Callable[..., Faulty]:
    """Make an MMAR whose module ``mine`` has the class ``Fault``: a handler, a loss, or a transform."""

    def make(code: str = "", *, slot: str = "handlers", workers: int = 0, name: str = "mmar", **top: Any) -> Faulty:
        def change(config: dict[str, Any]) -> None:
            config.update({"cache_gb": 0, "epochs": 3, **top})
            for section in ("train", "validate"):
                config[section]["image_pipeline"]["args"]["num_workers"] = workers
                if slot == "pre_transforms":
                    config[section]["pre_transforms"].append({"path": "mine.Fault"})
            if code and slot == "handlers":
                config["train"]["handlers"] = [{"path": "mine.Fault"}]
            if slot == "loss":
                config["train"]["loss"] = {"path": "mine.Fault"}

        mmar, scans = small_mmar(change, name), tmp_path / f"scans_of_{name}"
        write_scans(scans)
        environment = mmar / "config/environment.json"
        told = {"DATA_ROOT": str(scans), "DATASET_JSON": str(scans / "dataset.json"), "MMAR_CKPT_DIR": "models"}
        environment.write_text(json.dumps(told))
        (mmar / "custom").mkdir()
        (mmar / "custom/mine.py").write_text(_TOP + dedent(code).replace("SCANS", repr(str(scans))))
        return Faulty(mmar, scans, capfd, caplog)

    return make


@pytest.fixture
def write_scans(small_scans: Path) -> Callable[[Path], None]:
    """Copy the small scans, three of them to validate with."""

    def write(folder: Path) -> None:
        shutil.copytree(small_scans, folder)
        listed = json.loads((folder / "dataset.json").read_text())
        [last] = listed["validation"]
        for number in (5, 6):
            copied = {kind: name.replace("case4", f"case{number}") for kind, name in last.items()}
            for kind, name in copied.items():
                shutil.copy(folder / last[kind], folder / name)
            listed["validation"].append(copied)
        (folder / "dataset.json").write_text(json.dumps(listed))

    return write


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[Path, str], None]]:
    """Mount a small disk at a folder; skips where that is not allowed."""
    mounted: list[Path] = []

    def mount(folder: Path, size: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)]
        done = subprocess.run(command, capture_output=True, check=False)
        if done.returncode:
            pytest.skip("only root may mount a small disk here")
        mounted.append(folder)

    try:
        yield mount
    finally:
        for folder in mounted:
            subprocess.run(["umount", "-l", str(folder)], check=True)
