"""The processes of a run that share a machine take no more of it than one does."""

from __future__ import annotations

from typing import Any

import pytest
from monai.transforms import Compose

from clara_compat.engine.data import budget, loader
from clara_compat.engine.data.budget import CacheBudget
from clara_compat.engine.data.dataset import SeededDataset
from clara_compat.engine.data.epoch_plan import EpochPlan
from clara_compat.engine.distributed import gather

ITEMS: list[dict[str, Any]] = [{"image": f"{i}.nii"} for i in range(6)]


@pytest.fixture
def four(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of four processes of a launcher."""
    told = {"RANK": "0", "WORLD_SIZE": "4", "LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "4", "MASTER_ADDR": "127.0.0.1"}
    for name, value in told.items():
        monkeypatch.setenv(name, value)


def test_memory_for_caches(four: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "free_memory", lambda: 800)
    assert CacheBudget(1).left == 250_000_000
    assert CacheBudget().left == 100


def made(workers: int) -> Any:
    dataset = SeededDataset(ITEMS, Compose([]), section="train")
    plan = EpochPlan(ITEMS, shuffle=False, seed=0)
    return loader.data_loader(dataset, plan, batch_size=1, num_workers=workers, item_bytes=1)


def test_worker_processes(four: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loader.os, "cpu_count", lambda: 8)
    assert made(8).num_workers == 2
    assert made(1).num_workers == 1
    monkeypatch.setattr(loader.os, "cpu_count", lambda: 2)
    assert made(8).num_workers == 1


@pytest.mark.parametrize(("free", "workers"), [(32, 2), (24, 0)])
def test_shared_memory(four: None, monkeypatch: pytest.MonkeyPatch, free: int, workers: int) -> None:
    """Four items of a byte are in flight, and eight loaders may be alive."""
    monkeypatch.setattr(loader.os, "cpu_count", lambda: 8)
    monkeypatch.setattr(loader, "shared_memory_free", lambda: free)
    one = made(2)
    one._check_shared_memory()
    assert one.num_workers == workers


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"shuffle": False}, [1, 4]),
        ({"shuffle": True}, list(range(6))),
        ({"shuffle": False, "cached": 4, "replace_percent": 0.5}, [2, 3, 4, 5]),
    ],
    ids=["fixed", "shuffled", "smart cache"],
)
def test_what_a_process_may_have_to_read(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], expected: list[int]
) -> None:
    """The second of three; in the second epoch the window of a smart cache has moved."""
    monkeypatch.setattr(gather, "size", lambda: 3)
    monkeypatch.setattr(gather, "rank", lambda: 1)
    assert EpochPlan(ITEMS, seed=0, **options).needed(2) == expected
