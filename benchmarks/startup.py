"""How long does ``clara-compat train`` take until the first batch is asked for, compared with ``import monai``?

Both in fresh processes, in turns; the demo's MMAR and scans are made before. Everything a run does until its loader is
asked is counted: reading and checking the config, looking at the header of every scan, translating, making the network.
A trial of the levers comes after it.

    python benchmarks/startup.py
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

TARGET = 1.5
_LOADER = "clara_compat.engine.data.loader"


class _UntilAsked(MetaPathFinder):
    """Ends the process when a data loader is asked for its batches, without importing the loader by itself."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        del path, target
        if name != _LOADER:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            module._Loader.__iter__ = lambda _: os._exit(0)  # type: ignore[attr-defined]  # noqa: SLF001 -- its end

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def make_demo(folder: Path) -> list[str]:
    """Make the demo's MMAR with its scans; return the arguments that train it."""
    from clara_compat.demo.mmar import prepare_mmar
    from clara_compat.demo.scans import make_scans

    mmar = prepare_mmar(folder, "demo_mmar")
    data_list = make_scans(mmar / "data", seed=0)
    return ["train", "-m", str(mmar), "--set", f"DATA_ROOT={data_list.parent}", f"DATASET_JSON={data_list}"]


def measure(folder: Path, rounds: int) -> tuple[list[float], list[float]]:
    """Return the seconds of ``import monai`` and those until the first batch is asked for, of each round.

    A first round fills the caches of files and is not counted.
    """
    train = [sys.executable, __file__, "--until-asked", *make_demo(folder / "mmar")]
    seconds: tuple[list[float], list[float]] = [], []
    for turn in range(rounds + 1):
        for command, found in zip(([sys.executable, "-c", "import monai"], train), seconds, strict=True):
            started = time.perf_counter()
            done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- our own
            if done.returncode != 0:
                sys.exit(f"{' '.join(command)} failed:\n{done.stderr}")
            if turn:
                found.append(time.perf_counter() - started)
    return seconds


def ratio(seconds: tuple[list[float], list[float]]) -> float:
    """Return the median of the rounds' ratios."""
    return statistics.median(train / monai for monai, train in zip(*seconds, strict=True))


def main(arguments: list[str] | None = None) -> None:
    """Measure, or be what is measured."""
    given = sys.argv[1:] if arguments is None else arguments
    if given[:1] == ["--until-asked"]:
        from clara_compat.cli.main import main as command

        sys.meta_path.insert(0, _UntilAsked())
        command(given[1:])
        sys.exit("no data loader was asked for anything")
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=7, help="fresh processes of each side that count")
    chosen: Any = options.parse_args(given)
    with tempfile.TemporaryDirectory() as folder:
        seconds = measure(Path(folder), chosen.rounds)
    for name, found in zip(("import monai", "until the first batch is asked for"), seconds, strict=True):
        print(f"{name:35} {statistics.median(found):6.2f} s (median)")
    print(f"ratio startup {ratio(seconds):.3f} target {TARGET}")


if __name__ == "__main__":
    main()
