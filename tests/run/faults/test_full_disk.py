"""A disk that becomes full in the middle of a run."""

from __future__ import annotations

import json
import logging
import os
import re
import resource
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import Compose, Lambda
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.tensorboard import SummaryWriter

from clara_compat.cli.main import main
from clara_compat.common.files import replacing, save_json
from clara_compat.config.log_config import read_log_config
from clara_compat.engine.data.disk_cache import DiskCache
from clara_compat.engine.handlers.event_file import go_on_when_full
from clara_compat.engine.item_context import ItemKey, current_item
from clara_compat.engine.transforms.save_nifti import SaveNiftid
from clara_compat.run.console import logging_of_a_run

from .conftest import check_whole

Make = Callable[..., Any]
Mount = Callable[[Path, str], None]

FILLS = """
    class Fault(TrainHandler):
        def EVENT(self, ctx):
            if ctx.current_epoch == EPOCH:
                with open(Path(MODELS) / "filler", "wb", buffering=0) as stream:
                    try:
                        while True:
                            stream.write(bytes(1024))
                    except OSError:
                        pass
"""


@pytest.mark.parametrize(
    ("event", "epoch", "file", "left"),
    [
        ("start_epoch", 1, "checkpoint.pt", []),
        ("end_epoch", 1, "checkpoint.pt", ["checkpoint.pt", "model.pt", "train_stats.json", "validation_cases.json"]),
        (
            "key_metric_computed",
            2,
            "train_stats.json",
            ["checkpoint.pt", "model.pt", "train_stats.json", "validation_cases.json"],
        ),
        ("end_epoch", 3, "checkpoint.pt", ["checkpoint.pt", "model.pt", "train_stats.json", "validation_cases.json"]),
    ],
)
def test_a_training_stops_with_a_sentence_and_whole_files(
    faulty: Make, small_disk: Mount, event: str, epoch: int, file: str, left: list[str]
) -> None:
    code = FILLS.replace("EVENT", event).replace("EPOCH", str(epoch))
    run = faulty(code)
    (run.mmar / "custom/mine.py").write_text(
        (run.mmar / "custom/mine.py").read_text().replace("MODELS", repr(str(run.models)))
    )
    small_disk(run.models, "4m")
    message = run.train().message()
    assert f"models/{file} cannot be written: No space left on device ({run.models} has 0." in message
    assert " MB free); free some space or name another folder: what was written before is whole" in message
    assert ("--resume goes on from checkpoint.pt" in message) == bool(left)
    run.check_files(*left)
    (run.models / "filler").unlink()
    (run.mmar / "custom/mine.py").write_text(
        "from ai4med.common.train_handler import TrainHandler\nclass Fault(TrainHandler):\n    pass\n"
    )
    assert run.train("--resume").code == 0, "with space the training goes on"
    assert [one["epoch"] for one in run.stats["epochs"]] == [1, 2, 3]
    run.check_files("checkpoint.pt", "final_model.pt", "model.pt", "train_stats.json", "validation_cases.json")


def test_a_disk_that_is_full_before_the_training(faulty: Make, small_disk: Mount) -> None:
    run = faulty()
    small_disk(run.models, "64k")
    (run.models / "filler").write_bytes(bytes(64 << 10))
    message = run.train().message()
    assert "configs" in message
    assert message.endswith("free some space, or name another folder with MMAR_CKPT_DIR")
    assert "No space left on device" in message
    run.check_files()


@pytest.fixture
def small_files() -> Iterator[Callable[[int], None]]:
    """Limit the size of files, as ``ulimit -f`` does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_limit_on_the_size_of_files(faulty: Make, small_files: Callable[[int], None]) -> None:
    run = faulty("class Fault(TrainHandler):\n    pass\n")
    small_files(30_000)
    message = run.train().message()
    assert "models/checkpoint.pt cannot be written: File too large (files must not become this large here" in message
    run.check_files()


@pytest.mark.parametrize(
    ("size", "message"),
    [
        (
            "4k",
            r"eval/evaluate.json cannot be written: No space .*; free some space, or name another folder with MMAR_E",
        ),
        ("20k", r"config_validation.json:\d+ writers\[\d\]: '.*.nii.gz' cannot be written: No space left on device \("),
        ("48k", r"eval/evaluate_stats.json cannot be written: No space left on device \(.* MB free\); free some space"),
    ],
)
def test_an_evaluation_keeps_what_is_whole(
    evaluation_mmar: Make, small_disk: Mount, capfd: pytest.CaptureFixture[str], size: str, message: str
) -> None:
    mmar = evaluation_mmar(lambda config: config["writers"][0]["args"].update(dtype="float32"))
    small_disk(mmar / "eval", size)
    with pytest.raises(SystemExit) as end:
        main(["evaluate", "-m", str(mmar), "--set", "do_validation=true"])
    assert end.value.code == 2
    [told] = capfd.readouterr().err.strip().splitlines()
    assert re.search(message, told), told
    check_whole(mmar / "eval")


@pytest.mark.parametrize("kind", ["FileHandler", "handlers.RotatingFileHandler", "handlers.TimedRotatingFileHandler"])
def test_a_log_file_is_done_without(
    tmp_path: Path, small_disk: Mount, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    small_disk(tmp_path / "disk", "16k")
    (tmp_path / "log.config").write_text(
        "[loggers]\nkeys=root\n[handlers]\nkeys=f\n[formatters]\nkeys=p\n[logger_root]\nlevel=INFO\nhandlers=f\n"
        f"[handler_f]\nclass={kind}\nargs=('run.log',)\nformatter=p\n[formatter_p]\nformat=%(message)s\n"
    )
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", root.handlers[:])
    level = root.level
    with logging_of_a_run(read_log_config(tmp_path / "log.config", tmp_path / "disk")):
        for _ in range(100):
            logging.getLogger("clara_compat").info("x" * 1000)
        handler = root.handlers[-1]
    root.setLevel(level)
    err = capfd.readouterr().err
    assert err.count("run.log cannot be written: No space left on device (") == 1
    assert "MB free); the run goes on without it" in err
    assert "Traceback" not in err
    (tmp_path / "disk/run.log").write_bytes(b"")
    handler.close()


class TestFiles:
    def test_what_a_library_makes_of_it_does_not_matter(self, tmp_path: Path, small_disk: Mount) -> None:
        """torch.save raises a RuntimeError of the position it is at."""
        small_disk(tmp_path / "disk", "128k")
        file = tmp_path / "disk/model.pt"
        with replacing(file) as stream:
            torch.save({"weights": torch.arange(4)}, stream)
        with pytest.raises(OSError, match="No space left") as caught, replacing(file) as stream:
            torch.save({"weights": torch.zeros(1 << 20)}, stream)
        assert caught.value.filename == str(file)
        assert os.listdir(file.parent) == ["model.pt"]
        assert torch.load(file, weights_only=True)["weights"].tolist() == [0, 1, 2, 3]

    def test_the_earlier_json_stays(self, tmp_path: Path, small_disk: Mount) -> None:
        small_disk(tmp_path / "disk", "64k")
        file = tmp_path / "disk/train_stats.json"
        save_json({"epochs": [1]}, file)
        with pytest.raises(OSError, match="No space left"):
            save_json({"epochs": list(range(100_000))}, file)
        assert json.loads(file.read_text()) == {"epochs": [1]}
        assert os.listdir(file.parent) == ["train_stats.json"]

    def test_an_error_of_something_else_stays_what_it_is(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match="nowhere") as caught, replacing(tmp_path / "a.bin"):
            (tmp_path / "nowhere").read_bytes()
        assert caught.value.filename == str(tmp_path / "nowhere")
        assert os.listdir(tmp_path) == []


class TestWhatARunDoesWithout:
    def test_events(self, tmp_path: Path, small_disk: Mount, caplog: pytest.LogCaptureFixture) -> None:
        folder = tmp_path / "disk"
        small_disk(folder, "64k")
        writer = SummaryWriter(str(folder))
        go_on_when_full(writer)
        with caplog.at_level(logging.WARNING):
            for step in range(5_000):
                writer.add_scalar("loss", 1.0 / (step + 1), step)
            writer.flush()
            writer.add_scalar("loss", 0.0, 5_000)
            writer.close()
        assert caplog.text.count("TensorBoard sees nothing of what follows, the training goes on") == 1
        assert "No space left on device" in caplog.text
        found = EventAccumulator(str(folder)).Reload().Scalars("loss")
        assert 100 < len(found) < 5_000
        assert [one.step for one in found] == list(range(len(found))), "whole events, none is torn"

    def test_the_disk_cache(self, tmp_path: Path, small_disk: Mount, caplog: pytest.LogCaptureFixture) -> None:
        small_disk(tmp_path / "disk", "256k")
        data = [{"image": number} for number in range(6)]
        chain = Compose([Lambda(lambda item: {"image": MetaTensor(torch.full((1, 25_000), float(item["image"])))})])
        made = DiskCache(data, chain, tmp_path / "disk")
        with caplog.at_level(logging.WARNING):
            values = [[float(made[number]["image"][0, 0]) for number in range(6)] for _ in range(2)]
        assert values == [[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]] * 2
        assert caplog.text.count("cannot be cached in") == 1
        assert "MB free)): no further one is" in caplog.text
        files = list((tmp_path / "disk").iterdir())
        assert [file.suffix for file in files] == [".pt", ".pt"]
        for file in files:
            torch.load(file, weights_only=True)

    def test_images_for_debugging(self, tmp_path: Path, small_disk: Mount, caplog: pytest.LogCaptureFixture) -> None:
        small_disk(tmp_path / "disk", "64k")
        noise = torch.from_numpy(np.random.default_rng(1).random((1, 40, 40, 40), dtype=np.float32))
        transform = SaveNiftid("image", tmp_path / "disk")
        token = current_item.set(ItemKey(0, 1, 0, 0))
        try:
            with caplog.at_level(logging.WARNING):
                for _ in range(2):
                    assert transform({"image": MetaTensor(noise)})["image"].shape == noise.shape
        finally:
            current_item.reset(token)
        assert caplog.text.count("no further image is written there") == 1
        assert os.listdir(tmp_path / "disk") == []
