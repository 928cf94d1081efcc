"""A process that is killed at any moment, also inside the write of a checkpoint, loses nothing."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "crash.py"


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the processes to kill are forked")
def test_kills_at_random_moments(small_mmar: Callable[..., Path], tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("crash_benchmark", BENCHMARK)
    assert spec is not None
    assert spec.loader is not None
    benchmark = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = benchmark
    spec.loader.exec_module(benchmark)
    told: list[str] = []
    mmar = small_mmar(lambda config: config["train"]["model"]["args"].update(dropout_prob=0.3))
    found = benchmark.crash(tmp_path, mmar, {"epochs": 3}, 8, 1, told.append)
    assert found["kills"] == 8
    assert found["runs"] >= 2
    assert not found["differing"], told
    assert any("at call" in line for line in told)
    assert any(" s" in line and "killed" in line for line in told)
