"""Every random draw of an item follows from (seed, epoch, position)."""

from __future__ import annotations

import logging
import math
import random
import threading
from typing import Any

import numpy as np
import pytest
import torch
from monai.data import DataLoader
from monai.transforms import Compose, RandShiftIntensityd, Transform

from clara_compat.engine.data import loader as loader_module
from clara_compat.engine.data.batch import collate, prepare_batch
from clara_compat.engine.data.budget import CacheBudget
from clara_compat.engine.data.cache import ItemCache
from clara_compat.engine.data.dataset import SeededDataset
from clara_compat.engine.data.epoch_plan import EpochPlan
from clara_compat.engine.data.failure import ItemError, ItemFailure
from clara_compat.engine.data.loader import data_loader
from clara_compat.engine.data.sampler import EpochSampler
from clara_compat.engine.item_context import ItemKey, current_item
from clara_compat.errors import ClaraError


class Draws(Transform):
    """Uses every global generator there is."""

    def __call__(self, data: dict[str, Any]) -> dict[str, Any]:
        drawn = [np.random.rand(), random.random(), torch.rand(()).item()]
        return {**data, "label": torch.tensor(drawn, dtype=torch.float64)[None]}


class Notes(Transform):
    """Notes in which threads of this process it ran."""

    def __init__(self, threads: set[str]) -> None:
        self.threads = threads

    def __call__(self, data: dict[str, Any]) -> dict[str, Any]:
        self.threads.add(threading.current_thread().name)
        return data


class Breaks(Transform):
    def __init__(self, error: Exception) -> None:
        self.error = error

    def __call__(self, data: dict[str, Any]) -> dict[str, Any]:
        if data["number"] == 3:
            raise self.error
        return data


def items(count: int = 10) -> list[dict[str, Any]]:
    return [{"image": torch.zeros(1, 2, 2), "number": i, "path": f"case{i}.nii"} for i in range(count)]


def dataset(*transforms: Any, **options: Any) -> SeededDataset:
    return SeededDataset(
        items(), Compose([RandShiftIntensityd("image", 1.0, prob=1.0), Draws(), *transforms]), **options
    )


def loading(data: SeededDataset, *, shuffle: bool = False, seed: int = 0, **options: Any) -> DataLoader:
    return data_loader(data, EpochPlan(data.data, shuffle=shuffle, seed=seed), **options)


def epoch_of(workers: int, epoch: int = 1, *, batch_size: int = 3) -> torch.Tensor:
    loader = loading(dataset(), shuffle=True, seed=5, batch_size=batch_size, num_workers=workers)
    loader.sampler.set_epoch(epoch)
    return torch.cat([torch.cat([b["image"].flatten(1), b["label"].flatten(1)], 1) for b in loader])


@pytest.mark.parametrize("workers", [1, 2])
def test_the_number_of_workers_changes_nothing(workers: int) -> None:
    assert torch.equal(epoch_of(0), epoch_of(workers))


def test_epochs_differ_and_repeat() -> None:
    assert torch.equal(epoch_of(0, 1), epoch_of(0, 1))
    assert not torch.equal(epoch_of(0, 1), epoch_of(0, 2))


def test_the_batch_size_changes_nothing() -> None:
    assert torch.equal(epoch_of(0, batch_size=1), epoch_of(0, batch_size=4))


def test_global_generators_are_restored() -> None:
    torch.manual_seed(1), np.random.seed(1), random.seed(1)
    expected = torch.rand(()), np.random.rand(), random.random()
    torch.manual_seed(1), np.random.seed(1), random.seed(1)
    dataset()[ItemKey(5, 1, 0, 0)]
    assert (torch.rand(()), np.random.rand(), random.random()) == expected
    assert current_item.get() is None


def test_single_thread_is_only_for_the_item() -> None:
    seen: list[int] = []
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        SeededDataset(items(), lambda item: seen.append(torch.get_num_threads()) or item, single_thread=True)[0]
        assert (seen, torch.get_num_threads()) == ([1], 2)
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(("size", "batch"), [(1, 3), (2, 1), (2, 2), (3, 2), (3, 4), (4, 3), (16, 1)])
def test_every_process_takes_its_share_of_the_same_epoch(size: int, batch: int) -> None:
    plan = EpochPlan(items(), shuffle=True, seed=3)  # ten items
    whole = EpochSampler(plan)
    parts = [EpochSampler(plan, num_replicas=size, rank=r, batch_size=batch) for r in range(size)]
    for sampler in (whole, *parts):
        sampler.set_epoch(4)
    steps = math.ceil(10 / (size * batch))
    assert {math.ceil(len(part) / batch) for part in parts} == {steps}
    assert [len(list(part)) for part in parts] == [len(part) for part in parts]
    everything = list(whole)
    for step in range(steps):
        together = everything[step * size * batch : (step + 1) * size * batch]
        own = [list(part)[step * batch : (step + 1) * batch] for part in parts]
        assert [part.share(step) for part in parts] == [len(together[r::size]) for r in range(size)]
        assert [keys[: part.share(step)] for keys, part in zip(own, parts, strict=True)] == [
            together[r::size] for r in range(size)
        ]
        idle = [keys for keys, part in zip(own, parts, strict=True) if not part.share(step)]
        assert all(keys == together[:1] for keys in idle)  # one item once more, which does not count
        assert all(part.together(4, step) == together for part in parts)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_failing_item_names_itself_and_its_transform(workers: int) -> None:
    broken = dataset(Breaks(ClaraError("the crop is larger than the scan")), section="train")
    loader = loading(broken, batch_size=2, num_workers=workers)
    batches = list(loader)
    failure = batches[1]
    assert isinstance(failure, ItemFailure)
    assert (failure.section, failure.transform, failure.mendable) == ("train", 2, True)
    with pytest.raises(ItemError, match=r"the crop is larger than the scan \(path case3\.nii\)"):
        prepare_batch(failure)


def test_errors_of_libraries_are_defects_unless_user_code_raised_them() -> None:
    with pytest.raises(ItemError, match="ValueError: odd") as caught:
        dataset(Breaks(ValueError("odd")))[3]
    assert not caught.value.failure.mendable
    with pytest.raises(ItemError, match="memory ran out") as caught:
        dataset(Breaks(MemoryError()))[3]
    assert caught.value.failure.memory
    assert not caught.value.failure.skippable


def test_items_of_different_sizes_are_refused_in_words() -> None:
    failure = collate([{"image": torch.zeros(1, 2, 2)}, {"image": torch.zeros(1, 3, 2)}])
    with pytest.raises(ItemError, match=r"different shapes of 'image' \(\(1, 2, 2\), \(1, 3, 2\)\): crop or resize"):
        prepare_batch(failure)


@pytest.mark.parametrize(("exact", "kind"), [(False, "a thread"), (True, "the main process")])
def test_small_shared_memory_falls_back_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, exact: bool, kind: str
) -> None:
    monkeypatch.setattr(loader_module, "shared_memory_free", lambda: 10)
    threads: set[str] = set()
    loader = loading(dataset(Notes(threads), single_thread=exact), batch_size=2, num_workers=2)
    expected = [batch["image"] for batch in loading(dataset(), batch_size=2, num_workers=0)]
    assert not caplog.text
    for _ in range(2):
        for batch, one in zip(loader, expected, strict=True):
            assert torch.equal(batch["image"], one)
    assert loader.num_workers == 0
    assert (len(threads) > 1) is not exact  # the first item is measured in the main thread
    assert caplog.text.count("--shm-size") == 1
    assert f"loading in {kind} instead of" in caplog.text


@pytest.mark.parametrize(("characters", "workers"), [(62, 1), (63, 0)])
def test_a_long_temporary_folder_falls_back_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, characters: int, workers: int
) -> None:
    """A socket whose path is too long is an error in a thread, and a worker that waits for ever."""
    monkeypatch.setattr(loader_module.tempfile, "tempdir", "/" + "t" * (characters - 1))
    loader = loading(dataset(), batch_size=2, num_workers=1)
    loader._check_sockets()
    assert loader.num_workers == workers
    assert ("set TMPDIR to a folder with a shorter path" in caplog.text) is (workers == 0)


@pytest.mark.parametrize(("size", "workers"), [(250, 1), (251, 0)])
def test_a_known_size_is_taken_without_looking_at_an_item(
    monkeypatch: pytest.MonkeyPatch, size: int, workers: int
) -> None:
    monkeypatch.setattr(loader_module, "shared_memory_free", lambda: 1000)
    seen: set[str] = set()
    loader = loading(dataset(Notes(seen)), item_bytes=size, batch_size=1, num_workers=1, prefetch_size=2)
    loader._check_shared_memory()
    assert (loader.num_workers, seen) == (workers, set())


def test_no_notice_of_workers_that_are_not_started(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Items that lie ready in memory need none."""
    monkeypatch.setattr(loader_module, "shared_memory_free", lambda: 10)
    data, chain = items(), Compose([Notes(set())])
    plan = EpochPlan(data, shuffle=False, seed=0)
    ready = SeededDataset(data, chain, cache=ItemCache(data, chain, plan, CacheBudget(1)))
    assert len(list(data_loader(ready, plan, batch_size=2, num_workers=2))) == 5
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_no_more_workers_than_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loader_module.os, "cpu_count", lambda: 2)
    loader = loading(dataset(), batch_size=2, num_workers=64, prefetch_size=8)
    assert (loader.num_workers, loader.prefetch_factor) == (2, 4)


class Splits(Transform):
    """Makes three items of one, as a batching crop does."""

    def __call__(self, data: dict[str, Any]) -> list[dict[str, Any]]:
        return [{**data, "image": data["image"] + i} for i in range(3)]


@pytest.mark.parametrize("workers", [0, 1])
def test_the_crops_of_all_items_of_a_batch_lie_in_a_row(workers: int) -> None:
    split = SeededDataset(items(5), Compose([Splits()]))
    batches = [batch["number"].tolist() for batch in loading(split, batch_size=2, num_workers=workers)]
    assert batches == [[0, 0, 0, 1, 1, 1], [2, 2, 2, 3, 3, 3], [4, 4, 4]]


@pytest.mark.parametrize("workers", [0, 1])
def test_batch_transforms_run_on_the_batch_and_follow_from_its_first_key(workers: int) -> None:
    def batches(size: int) -> list[torch.Tensor]:
        chain = Compose([RandShiftIntensityd("image", 1.0, prob=1.0)])
        data = SeededDataset(items(4), Compose([Splits()]), batch_transform=chain)
        return [batch["image"] for batch in loading(data, batch_size=size, num_workers=workers)]

    once, again = batches(2), batches(2)
    assert [len(batch) for batch in once] == [6, 6]
    assert all(torch.equal(one, other) for one, other in zip(once, again, strict=True))
    assert len({float(value) for value in (once[0][:, 0, 0, 0] - torch.arange(3.0).repeat(2)).tolist()}) == 6
    assert not torch.equal(once[0], once[1])


def test_a_failing_batch_transform_names_its_items() -> None:
    data = SeededDataset(items(4), Compose([]), batch_transform=Compose([Breaks(ClaraError("odd"))]), section="train")
    [_, broken] = loading(data, batch_size=2, num_workers=0)
    assert (broken.reason, broken.section, broken.transform) == ("odd", "train.batch", 0)
    assert "path case2.nii" in broken.files
