"""Fixtures that make configs native and run them without this package."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from clara_compat.config.workflow import load_train_workflow
from clara_compat.run.migration_entries import MISSING, entry_at
from clara_compat.run.seeds import seeds_of
from clara_compat.translate.native.native_config import NativeConfig, is_ours
from clara_compat.translate.native.train import native_train
from clara_compat.translate.train import translate_train

Change = Callable[[dict[str, Any]], Any]
Run = Callable[[dict[str, Any]], dict[str, Any]]
Complete = Callable[[Mapping[str, Any], NativeConfig], None]


def ours(value: Any, place: str = "") -> Iterator[str]:
    """Yield the ids of the entries that point into this package."""
    if isinstance(value, Mapping):
        if str(value.get("_target_", "")).startswith("clara_compat."):
            yield place
        for name, item in value.items():
            yield from ours(item, f"{place}#{name}" if place else name)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from ours(item, f"{place}#{number}")


@pytest.fixture(scope="session")
def complete() -> Complete:
    """Check that nothing is lost without a word: what is of this package is named, or stands in what is named."""

    def check(exact: Mapping[str, Any], native: NativeConfig) -> None:
        told = {one.entry for one in native.differences}
        for place in ours(exact):
            parts = place.split("#")
            assert told & {"#".join(parts[:end]) for end in range(1, len(parts) + 1)}, f"{place} is lost"
        made_of_others = {"train#plan#categories"}
        assert not {one for one in told - made_of_others if entry_at(exact, one) is MISSING}

    return check


@pytest.fixture(scope="session")
def worker() -> Iterator[Callable[[Path], dict[str, Any]]]:
    """Run a config file in a process that cannot import this package, and return what it came to."""
    script = Path(__file__).with_name("worker.py")
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    with subprocess.Popen(
        [sys.executable, "-I", str(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**kept, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
    ) as process:

        def run(file: Path) -> dict[str, Any]:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(f"{file}\n")
            process.stdin.flush()
            return dict(json.loads(process.stdout.readline()))

        yield run
        process.stdin.close()  # type: ignore[union-attr]


@pytest.fixture
def run_native(worker: Callable[[Path], dict[str, Any]], tmp_path: Path) -> Run:
    """Run a native config and return its last loss, metrics and learning rate."""

    def run(config: dict[str, Any]) -> dict[str, Any]:
        file = tmp_path / "native.json"
        file.write_text(json.dumps(config))
        result = worker(file)
        assert "error" not in result, result["error"]
        assert result["loaded"] == []
        return result

    return run


@pytest.fixture
def exact_train(small_mmar: Callable[..., Path]) -> Callable[..., dict[str, Any]]:
    """Return the exact config of a small training; ``change`` edits the legacy config."""

    def make(change: Change | None = None, data: Path | None = None) -> dict[str, Any]:
        mmar = small_mmar(change)
        overrides = {} if data is None else {"DATA_ROOT": str(data), "DATASET_JSON": str(data / "dataset.json")}
        workflow = load_train_workflow(mmar / "config" / "config_train.json", overrides=overrides)
        return translate_train(workflow, seeds_of(workflow.settings.determinism), mmar / "models").config

    return make


@pytest.fixture
def native_of(exact_train: Callable[..., dict[str, Any]], complete: Complete) -> Callable[..., NativeConfig]:
    """Return the native config of a small training, in which nothing of this package is left or lost."""

    def make(change: Change | None = None, data: Path | None = None, **options: Any) -> NativeConfig:
        exact = exact_train(change, data)
        native = native_train(exact, **options)
        complete(exact, native)
        entries = {name: value for name, value in native.config.items() if not isinstance(value, str)}
        assert not is_ours(json.loads(json.dumps(entries)))
        return native

    return make
