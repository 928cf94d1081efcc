"""A worker that is killed, and memory that runs out."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from clara_compat.errors import Address
from clara_compat.run.faults import mendable
from clara_compat.translate.bundle import Bundle
from clara_compat.translate.memory_levers import MemoryLever

from .conftest import check_whole

Make = Callable[..., Any]

KILLS = """
    from torch.utils.data import get_worker_info

    class Fault(Transformer):
        def transform(self, ctx):
            key = current_item.get()
            if key.epoch == 2 and get_worker_info() is not None:
                os.kill(os.getpid(), signal.SIGNAL)
            return ctx
"""


@pytest.mark.parametrize(
    ("signal", "message"),
    [
        ("SIGKILL", "ended (Killed), as a rule by the system because memory ran out: give the machine or the"),
        ("SIGBUS", "ended (Bus error), as shared memory (/dev/shm) is too small: give the container more"),
        ("SIGSEGV", "ended (Segmentation fault) in compiled code, of a reader or of your own transforms"),
    ],
)
def test_a_worker_is_killed(faulty: Make, signal: str, message: str) -> None:
    run = faulty(KILLS.replace("SIGNAL", signal), slot="pre_transforms", workers=2).train()
    assert run.code == 2
    told = run.err.replace("\0", "").strip().splitlines()[-1]  # torch's own line ends with a zero byte
    assert f"a process that loads scans {message}" in told
    assert ", or lower num_workers (now 2; config/config_train.json:" in told
    assert "train.image_pipeline.args.num_workers)" in told
    run.check_files("model.pt", "checkpoint.pt", "train_stats.json", "validation_cases.json")
    assert len(run.stats["epochs"]) == 1


LIMIT = """
    def limit(more=300 << 20):
        size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + more, size + more))
"""
LOADING = """
    class Fault(Transformer):
        def transform(self, ctx):
            if current_item.get().epoch == 2:
                limit()
                np.ones((1 << 30,), dtype=np.float32)
            return ctx
"""
STEP = """
    import torch
    from ai4med.components.losses.loss import Loss

    class Fault(Loss):
        def get_loss(self, predictions, targets, build_ctx=None):
            if (Path(SCANS).parent / "mmar/models/model.pt").exists():
                limit()
                torch.ones(1 << 30)
            return (predictions**2).mean()
"""


def in_a_process(run: Any, *more: str) -> subprocess.CompletedProcess[str]:
    program = "from clara_compat.cli.main import main; main()"
    command = [sys.executable, "-c", program, "train", "-m", str(run.mmar), *more]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the memory of a process is not told here")
@pytest.mark.parametrize(
    ("code", "options", "message"),
    [
        pytest.param(
            LOADING, {"slot": "pre_transforms"}, r"memory ran out while scans were loaded (image ", id="loading"
        ),
        pytest.param(
            STEP,
            {"slot": "loss"},
            "): lower output_batch_size (now 2; config/config_train.json:",
            id="step",
        ),
    ],
)
def test_memory_runs_out(faulty: Make, code: str, options: dict[str, Any], message: str) -> None:
    run = faulty(LIMIT + code, **options)
    done = in_a_process(run, "--on-bad-item", "skip")
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert message in done.stderr.strip().splitlines()[-1]
    check_whole(run.models)
    assert (run.models / "model.pt").exists()
    assert len(run.stats["epochs"]) == 1
    assert "skipped" not in done.stdout, "memory is nothing of an item"


def bundle(*levers: MemoryLever, **config: Any) -> Bundle:
    return Bundle({"train": {}, **config}, {}, [], list(levers))


def lever(stage: Any, name: str, value: Any, advice: str = "lower") -> MemoryLever:
    return MemoryLever(stage, name, value, Address("config_train.json", 7, f"{stage}.{name}"), advice)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            torch.OutOfMemoryError("CUDA out of memory"),
            (
                "the memory of the GPU ran out in a step of the training: lower output_batch_size (now 4; "
                "config_train.json:7 train.output_batch_size) or size (now [96, 96, 96]; config_train.json:7 "
                "train.size), or turn on use_amp (now false; config_train.json:7 train.use_amp)"
            ),
        ),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling"), "the memory of the GPU ran out in a"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), "memory ran out in a step of the"),
        (OSError(12, "Cannot allocate memory"), "memory ran out in a step of the training: lower output_batch_size"),
        (MemoryError(), "memory ran out in a step of the training: lower output_batch_size"),
        (RuntimeError("can't start new thread"), "memory ran out in a step of the training: lower output_batch_size"),
        (
            RuntimeError("DataLoader worker (pid(s) 1, 2) exited unexpectedly"),
            (
                "a process that loads scans ended unexpectedly, as a rule by the system because memory ran out: give "
                "the machine or the container more memory (also shared memory: docker run --shm-size=8g), or lower "
                "num_workers (now 2; config_train.json:7 load.num_workers)"
            ),
        ),
        (
            RuntimeError("unable to write to file </torch_12_34_0>: No space left on device (28)"),
            (
                "shared memory (/dev/shm), through which processes hand scans over, is full: give the container more "
                "(docker run --shm-size=8g), or lower num_workers (now 2; config_train.json:7 load.num_workers)"
            ),
        ),
        (PermissionError(13, "Permission denied", "/x/y.pt"), "Permission denied: /x/y.pt; free or change the folder"),
    ],
)
def test_the_table(error: Exception, message: str) -> None:
    levers = (
        lever("train", "output_batch_size", 4),
        lever("train", "size", [96, 96, 96]),
        lever("train", "use_amp", False, "turn on"),
        lever("load", "num_workers", 2),
        lever("validate", "roi_size", [160, 160, 160]),
    )
    told = mendable(error, bundle(*levers), {})
    assert told is not None
    assert str(told).startswith(message)


def test_without_a_lever_there_is_advice() -> None:
    told = mendable(MemoryError(), bundle(), {})
    assert told is not None
    assert told.message.endswith("of the training: lower the size of the crops, or take a machine with more memory")


def test_memory_of_a_validation(faulty: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def allocate(*_: Any, **__: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")

    monkeypatch.setattr("monai.inferers.SlidingWindowInferer.__call__", allocate)
    run = faulty().train()
    assert (
        "the memory of the GPU ran out in a validation: lower roi_size (now [16, 16, 16]; config/config"
        in run.message()
    )
    run.check_files("checkpoint.pt")
