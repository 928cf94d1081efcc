"""Is a training lost when its process is killed, at any moment?

Trains the demo's MMAR on a few scans in one go. Then it trains again and again, kills the process (SIGKILL), resumes,
and compares weights, statistics and cases with those of the run in one go, bit for bit. Half of the moments are random
times; the others are calls of a write: inside a checkpoint, in front of a flush to the disk, between two renames. A
resumed process may be killed again. Every step has a checkpoint here, so that most kills meet one.

    python benchmarks/crash.py --kills 30          # three minutes on two idle cores
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

EPOCHS = 3
SEEDS = {"determinism": {"numpy_seed": 3, "tf_seed": 4, "random_seed": 5}}


def main() -> None:
    """Kill and compare."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--kills", type=int, default=30)
    options.add_argument("--seed", type=int, default=0)
    given = options.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # forked: no threads before
    with tempfile.TemporaryDirectory() as folder:
        mmar, overrides = demo(Path(folder))
        found = crash(Path(folder), mmar, overrides, given.kills, given.seed, lambda text: print(text, flush=True))
    print(
        f"{found['kills']} kills, {found['runs']} resumed runs that came to their end, {found['differing']} differing"
    )
    print(f"ratio crash_differing_runs {found['differing'] / max(found['runs'], 1):.3f} target 0.0")
    sys.exit(1 if found["differing"] else 0)


def demo(folder: Path) -> tuple[Path, dict[str, Any]]:
    """Return the demo's MMAR with a few scans, and what makes its training short."""
    from clara_compat.demo.mmar import prepare_mmar
    from clara_compat.demo.scans import make_scans

    data = make_scans(folder / "data", training=6, validation=1, testing=1)
    mmar = prepare_mmar(folder / "mmar", "demo_mmar")
    overrides = {"DATA_ROOT": str(data.parent), "DATASET_JSON": str(data), "epochs": EPOCHS, **SEEDS}
    return mmar, {**overrides, "num_training_epoch_per_valid": 1, "train.image_pipeline.args.output_batch_size": 2}


def crash(
    folder: Path,
    mmar: Path,
    overrides: dict[str, Any],
    kills: int,
    seed: int,
    tell: Callable[[str], Any] = lambda _: None,
) -> dict[str, int]:
    """Train once in one go, then with kills, and return how many kills there were, runs, and runs that differ."""

    def start(name: str, workers: int, at_call: int = 0) -> int:
        given = {**overrides, "MMAR_CKPT_DIR": str(folder / name), "train.image_pipeline.args.num_workers": workers}
        return forked(lambda: training(mmar, given, folder / f"{name}.calls", at_call, folder / f"{name}.log"))

    began = time.perf_counter()
    if wait(start("whole", 0)):
        raise RuntimeError((folder / "whole.log").read_text())
    whole, seconds = outcome(folder / "whole"), time.perf_counter() - began
    calls = int((folder / "whole.calls").read_text())
    tell(f"in one go: {seconds:.1f} s, {calls} calls that write")
    chosen = random.Random(seed)  # noqa: S311 -- moments, no secrets
    killed = runs = differing = 0
    while killed < kills:
        name, workers, here = f"run{runs}", chosen.choice([0, 0, 2]), 0
        while True:
            moment = "to its end"
            if killed + here < kills and here < 4:
                in_write = bool((killed + here) % 2)
                if in_write:
                    call = chosen.randint(1, max(1, calls // (1 + here)))
                    moment = f"at call {call}"
                    process = start(name, workers, call)
                else:
                    wished = chosen.uniform(0.0, seconds / (1 + here))
                    moment = f"after {wished:.2f} s"
                    process = start(name, workers)
                    time.sleep(wished)
                    os.kill(process, signal.SIGKILL)
            else:
                process = start(name, workers)
            status = wait(process)
            if status == 0:
                break
            if status != -signal.SIGKILL:
                raise RuntimeError((folder / f"{name}.log").read_text())
            here += 1
            tell(f"{name}, {workers} workers: killed {moment}")
        same = outcome(folder / name) == whole
        killed, runs, differing = killed + here, runs + 1, differing + (not same)
        tell(f"{name}: {here} kills, {'the same bit for bit' if same else 'DIFFERS'}")
    return {"kills": killed, "runs": runs, "differing": differing}


def training(mmar: Path, overrides: dict[str, Any], calls: Path, at_call: int, log: Path) -> None:
    """Train in this process, which counts its calls that write, and kills itself at one of them."""
    from clara_compat import train
    from clara_compat.engine import sealed_file
    from clara_compat.engine.handlers.checkpoints import Checkpoints

    stream = log.open("w")
    os.dup2(stream.fileno(), 1)
    os.dup2(stream.fileno(), 2)
    count = 0

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **more: Any) -> Any:
            nonlocal count
            count += 1
            if count == at_call:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*given, **more)

        return call

    os.replace = counted(os.replace)  # type: ignore[assignment]
    os.fsync = counted(os.fsync)
    sealed_file._Sealing.write = counted(sealed_file._Sealing.write)  # type: ignore[method-assign]  # noqa: SLF001
    (Checkpoints.__init__.__kwdefaults__ or {})["minutes"] = 0.0
    train(mmar, overrides=overrides, resume=True)
    calls.write_text(str(count))


def outcome(folder: Path) -> dict[str, Any]:
    """Return what a run came to, as far as it may not depend on interruptions."""
    import torch

    weights = {}
    for name in ("model.pt", "final_model.pt"):
        state = torch.load(folder / name, weights_only=True)
        weights[name] = {key: value.numpy().tobytes() for key, value in state.items()}
    stats = json.loads((folder / "train_stats.json").read_text())
    epochs = [{key: value for key, value in one.items() if "seconds" not in key} for one in stats["epochs"]]
    best = {name: stats[name] for name in ("best_epoch", "best_value", "steps")}
    return {**weights, "epochs": epochs, **best, "cases": json.loads((folder / "validation_cases.json").read_text())}


def forked(function: Callable[[], Any]) -> int:
    """Run a function in a copy of this process, which has all modules already; return its number."""
    import clara_compat.run.execute
    import clara_compat.run.training_report
    import clara_compat.translate.train  # noqa: F401

    process = os.fork()
    if process:
        return process
    code = 1
    try:
        function()
        code = 0
    except BaseException:  # noqa: BLE001 -- the log has it, and nothing of the parent's may run here
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def wait(process: int) -> int:
    """Return how a process ended: its exit code, or minus the signal."""
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


if __name__ == "__main__":
    main()
