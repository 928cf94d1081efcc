"""What is cached, where, and that it changes nothing but the time."""

from __future__ import annotations

import logging
import os
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import Compose, RandShiftIntensityd, Transform

from clara_compat.common.transform_ctx import TransformContext
from clara_compat.engine import properties
from clara_compat.engine.data import background
from clara_compat.engine.data import budget as budget_module
from clara_compat.engine.data import dataset as dataset_module
from clara_compat.engine.data.budget import CacheBudget, free_memory
from clara_compat.engine.data.cache import ItemCache
from clara_compat.engine.data.dataset import SeededDataset
from clara_compat.engine.data.disk_cache import DiskCache, item_digest
from clara_compat.engine.data.epoch_plan import EpochPlan
from clara_compat.engine.data.failure import ItemFailure
from clara_compat.engine.data.loader import data_loader
from clara_compat.engine.item_context import ItemKey
from clara_compat.engine.legacy.transform import legacy_transform


class Loads(Transform):
    """Stands for a loader: 4,000 bytes per scan, and counts how often it ran, by scan."""

    def __init__(self) -> None:
        self.loaded: list[str] = []

    def __call__(self, data: dict[str, Any]) -> dict[str, Any]:
        self.loaded.append(data["image"])
        number = float("".join(filter(str.isdigit, Path(data["image"]).stem)) or 0)
        image = MetaTensor(torch.full((1, 10, 100), number), affine=torch.eye(4, dtype=torch.float64) * 2)
        properties.write(image, {"shape_format": "HW", "original_shape": (10, 100)})
        image.meta["filename_or_obj"] = data["image"]
        return {**data, "image": image}


class Users:
    """A user's transform, which writes into the array it is given."""

    deterministic = True
    draws = False

    def transform(self, transform_ctx: TransformContext) -> TransformContext:
        data = transform_ctx.get_image("image").get_data()
        data += np.random.rand() if self.draws else 1
        return transform_ctx

    def is_deterministic(self) -> bool:
        return self.deterministic


def users(*, deterministic: bool = True, draws: bool = False) -> Any:
    one = Users()
    one.deterministic, one.draws = deterministic, draws
    return legacy_transform(one)


SHIFT = RandShiftIntensityd("image", 1.0, prob=1.0)


def cache(
    *transforms: Any, items: int = 6, gb: float | None = 1, folder: Path | None = None, **options: Any
) -> tuple[SeededDataset, Loads, EpochPlan]:
    loads = Loads()
    chain = Compose([loads, *transforms])
    data = [{"image": f"scan{i}.nii"} for i in range(items)] if "data" not in options else options.pop("data")
    names = ("cached", "replace_percent")
    given = {name: options.pop(name) for name in names if name in options}
    plan = EpochPlan(data, shuffle=False, seed=5, **given)
    made = ItemCache(data, chain, plan, CacheBudget(gb, folder), section="train", **options)
    return SeededDataset(data, chain, cache=made, section="train"), loads, plan


def epoch(dataset: SeededDataset, plan: EpochPlan, number: int = 1) -> list[Any]:
    dataset.prepare(number)
    return [dataset[ItemKey(5, number, at, index)] for at, index in enumerate(plan.order(number))]


def values(items: list[Any]) -> list[float]:
    return [float(item["image"][0, 0, 0]) for item in items]


def test_the_same_items_from_a_cache_once_loaded(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    cached, loads, plan = cache(SHIFT)
    plain = SeededDataset(cached.data, Compose([Loads(), SHIFT]))
    for number in (1, 2, 3):
        expected = [plain[ItemKey(5, number, at, index)] for at, index in enumerate(plan.order(number))]
        for one, other in zip(epoch(cached, plan, number), expected, strict=True):
            assert torch.equal(one["image"], other["image"])
            assert one["image"].meta["filename_or_obj"] == other["image"].meta["filename_or_obj"]
            assert torch.equal(one["image"].affine, other["image"].affine)
    assert sorted(loads.loaded) == [f"scan{i}.nii" for i in range(6)]
    assert "train: caching 6 scans up to Loads, 0 MB in memory" in caplog.text


@pytest.mark.parametrize("workers", [0, 1])
def test_workers_share_what_the_main_process_holds(workers: int) -> None:
    cached, loads, plan = cache(SHIFT)
    loader = data_loader(cached, plan, batch_size=2, num_workers=workers)
    assert [len(batch["image"]) for batch in loader] == [2, 2, 2]
    assert len(loads.loaded) == 6
    assert loader.num_workers == workers


def test_a_chain_without_chance_needs_no_workers() -> None:
    cached, _, plan = cache()
    loader = data_loader(cached, plan, batch_size=2, num_workers=2)
    assert len(list(loader)) == 3
    assert loader.num_workers == 0


def test_entries_that_are_alike_are_held_once() -> None:
    data = [{"image": "scan1.nii"}] * 32
    cached, loads, plan = cache(SHIFT, data=data)
    made = epoch(cached, plan)
    assert loads.loaded == ["scan1.nii"]
    assert len(cached.cache.held) == 1
    assert len(set(values(made))) == 32
    [held] = cached.cache.held.values()
    assert cached.cache.get(0)[0]["image"].data_ptr() == cached.cache.get(31)[0]["image"].data_ptr()
    assert held["image"].data_ptr() == cached.cache.get(0)[0]["image"].data_ptr()


def test_a_users_code_that_writes_in_place_leaves_the_cache_alone() -> None:
    cached, _, plan = cache(users(deterministic=False))
    assert values(epoch(cached, plan)) == values(epoch(cached, plan, 2)) == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    assert all("clara_shared" not in item["image"].meta for item in epoch(cached, plan, 3))


def test_metadata_written_later_leaves_the_cache_alone() -> None:
    cached, _, plan = cache()
    [first, *_] = epoch(cached, plan)
    first["image"].meta["filename_or_obj"] = "other"
    first["image"].affine[0, 0] = 77.0
    again = cached[ItemKey(5, 1, 0, 0)]["image"]
    assert (again.meta["filename_or_obj"], float(again.affine[0, 0])) == ("scan0.nii", 2.0)


def test_a_users_transform_ends_the_cache_when_it_is_random() -> None:
    cached, _, _ = cache(users(deterministic=False), users())
    assert cached.cache.length == 1
    cached, _, _ = cache(users(), users(deterministic=False))
    assert cached.cache.length == 2


def test_a_users_transform_that_draws_secretly(caplog: pytest.LogCaptureFixture) -> None:
    """Clara's plain pipelines ran it anew each time, its caches froze what it drew."""
    plain, _, plan = cache(users(draws=True))
    assert len({*values(epoch(plain, plan)), *values(epoch(plain, plan, 2))}) == 12
    assert plain.cache.length == 1
    assert "Users draws random numbers although its is_deterministic() is True: what it makes is not" in caplog.text
    caplog.clear()
    frozen, _, plan = cache(users(draws=True), requested=True)
    assert values(epoch(frozen, plan)) == values(epoch(frozen, plan, 2))
    assert len(set(values(epoch(frozen, plan)))) == 6
    assert "its first result is kept, as in Clara" in caplog.text


def test_what_is_cached_in_front_of_secret_draws_is_clean() -> None:
    """The user's code wrote its draw into the array it was given."""
    plain, _, plan = cache(users(draws=True))
    epoch(plain, plan)
    assert sorted(float(item["image"][0, 0, 0]) for item in plain.cache.held.values()) == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]


def test_frozen_draws_are_the_same_in_memory_and_without() -> None:
    held, _, plan = cache(users(draws=True), requested=True)
    remade, _, _ = cache(users(draws=True), requested=True, gb=5e-6)
    assert values(epoch(held, plan)) == values(epoch(remade, plan)) == values(epoch(remade, plan, 2))
    assert remade.cache.disk is None


class Rarely(Users):
    def transform(self, transform_ctx: TransformContext) -> TransformContext:
        image = transform_ctx.get_image("image")
        if image.get_data().max() == 3:
            image.set_data(image.get_data() + np.random.rand(), image.get_shape_format())
        return transform_ctx


@pytest.mark.parametrize("requested", [False, True])
def test_draws_that_the_first_item_did_not_show(requested: bool, caplog: pytest.LogCaptureFixture) -> None:
    found, _, plan = cache(legacy_transform(Rarely()), requested=requested)
    first, second = values(epoch(found, plan)), values(epoch(found, plan, 2))
    assert "Rarely draws random numbers although its is_deterministic() is True" in caplog.text
    assert (first == second) is requested
    assert [a == b for a, b in zip(first, second, strict=True)] == [True] * 3 + [requested] + [True] * 2


def test_a_smart_cache_passes_over_its_window() -> None:
    cached, loads, plan = cache(SHIFT, cached=4, replace_percent=0.5, requested=True)
    for number, window in ((1, [0, 1, 2, 3]), (2, [2, 3, 4, 5]), (3, [4, 5, 0, 1])):
        made = epoch(cached, plan, number)
        assert [Path(item["image"].meta["filename_or_obj"]).stem for item in made] == [f"scan{i}" for i in window]
        assert len(cached.cache.held) == 4
    assert [name.removesuffix(".nii") for name in loads.loaded] == [f"scan{i}" for i in (0, 1, 2, 3, 4, 5, 0, 1)]


def test_the_next_window_is_made_in_the_background() -> None:
    cached, loads, plan = cache(SHIFT, cached=4, replace_percent=0.5, requested=True)
    epoch(cached, plan)
    assert len(loads.loaded) == 4
    cached.cache.prepare_ahead(2)
    [thread] = [thread for thread in threading.enumerate() if thread is cached.cache._ahead] or [cached.cache._ahead]
    thread.join(10)
    assert len(loads.loaded) == 6
    epoch(cached, plan, 2)
    assert len(loads.loaded) == 6


class Slow(Transform):
    def __call__(self, data: dict[str, Any]) -> dict[str, Any]:
        time.sleep(0.05)
        return data


def test_no_worker_is_forked_beside_a_busy_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock that the thread holds would stay locked in the worker: seen to stop a run for ever."""
    cached, _, plan = cache(Slow(), cached=3, replace_percent=1.0, requested=True)
    epoch(cached, plan)
    cached.cache.prepare_ahead(2)
    thread = cached.cache._ahead
    assert thread.is_alive()
    other = SeededDataset([{"image": torch.zeros(1, 2, 2)}] * 2, Compose([]))
    loader = data_loader(other, EpochPlan(other.data, shuffle=False, seed=0), batch_size=1, num_workers=1)
    workers = iter(loader)
    assert not thread.is_alive()
    assert len(list(workers)) == 2


def test_a_cache_without_replacement_starts_no_thread() -> None:
    cached, _, plan = cache(SHIFT, cached=4, requested=True)
    epoch(cached, plan)
    cached.cache.prepare_ahead(2)
    assert cached.cache._ahead is None


class Halves(Transform):
    """Makes a list of items without chance, as a user's tiling does."""

    def __call__(self, data: dict[str, Any]) -> list[dict[str, Any]]:
        return [{**data, "image": part.clone()} for part in data["image"].split(5, dim=1)]


@pytest.mark.parametrize("gb", [1, 5e-6])
def test_lists_of_items_are_cached_too(tmp_path: Path, gb: float) -> None:
    cached, loads, plan = cache(Halves(), SHIFT, gb=gb, folder=tmp_path)
    for number in (1, 2):
        made = epoch(cached, plan, number)
        assert [[tuple(part["image"].shape) for part in item] for item in made] == [[(1, 5, 100)] * 2] * 6
    assert len(loads.loaded) == (6 if gb == 1 else 7)


class Fails(Transform):
    def __call__(self, data: dict[str, Any]) -> dict[str, Any]:
        if data["image"].meta["filename_or_obj"] in ("scan0.nii", "scan3.nii"):
            raise OSError("damaged")
        return data


def test_an_item_that_fails_is_reported_when_it_is_asked_for() -> None:
    cached, _, plan = cache(Fails())
    made = epoch(cached, plan)
    assert [isinstance(one, ItemFailure) for one in made] == [True, False, False, True, False, False]
    assert made[0].transform == made[3].transform == 1
    assert "damaged" in made[3].reason


def test_no_cache_at_all() -> None:
    cached, loads, plan = cache(SHIFT, gb=0)
    epoch(cached, plan), epoch(cached, plan, 2)
    assert len(loads.loaded) == 12
    requested, loads, plan = cache(SHIFT, gb=0, requested=True, cached=4, replace_percent=0.5)
    assert [len(epoch(requested, plan, number)) for number in (1, 2)] == [4, 4]
    assert not requested.cache.held
    assert len(loads.loaded) == 8


def test_what_does_not_fit_into_memory_goes_to_disk(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    expected = values(epoch(*cache(SHIFT)[::2]))
    for attempt in range(2):
        cached, loads, plan = cache(SHIFT, gb=5e-6, folder=tmp_path)
        assert values(epoch(cached, plan)) == expected
        assert values(epoch(cached, plan, 2)) != expected
        assert len(loads.loaded) == (1 + 6 if attempt == 0 else 1)  # the first is looked at for its size
    assert "as memory is left for 0 MB" in caplog.text
    [folder] = tmp_path.iterdir()
    assert len(list(folder.glob("*.pt"))) == 6


def test_neither_memory_nor_disk(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget_module.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 10}))
    cached, loads, plan = cache(SHIFT, gb=5e-6)
    epoch(cached, plan)
    assert "nothing is cached: 6 scans up to Loads, 0 MB fit neither into memory nor on disk" in caplog.text
    assert len(loads.loaded) == 7


class TestDisk:
    def item(self, tmp_path: Path, content: bytes = b"abc") -> dict[str, Any]:
        file = tmp_path / "scan7.nii"
        file.write_bytes(content)
        return {"image": str(file), "label": [1, 0]}

    def test_an_item_comes_back_as_it_was(self, tmp_path: Path) -> None:
        item = self.item(tmp_path)
        loads = Loads()
        made = DiskCache([item], Compose([loads]), tmp_path / "cache/k")
        first, again = made[0], made[0]
        assert len(loads.loaded) == 1
        for one in (first, again):
            assert type(one["image"]) is MetaTensor
            assert torch.equal(one["image"].affine, torch.eye(4, dtype=torch.float64) * 2)
            assert properties.read(one["image"])["original_shape"] == (10, 100)
            assert one["image"].meta["filename_or_obj"] == item["image"]
            assert one["label"] == [1, 0]

    def test_another_file_is_another_item(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Told by size and time: reading every scan again, in every worker, takes as long as making it anew."""
        item = self.item(tmp_path)
        before = item_digest(item)
        monkeypatch.setattr(Path, "open", None)
        assert item_digest(dict(item)) == before
        monkeypatch.undo()
        os.utime(item["image"], ns=(0, 1))
        assert len({before, item_digest(item), item_digest(self.item(tmp_path, b"abcd"))}) == 3
        assert item_digest(self.item(tmp_path) | {"label": [0, 1]}) != item_digest(self.item(tmp_path))
        series = tmp_path / "series"
        series.mkdir()
        (series / "1.dcm").write_bytes(b"1")
        one = item_digest({"image": str(series)})
        (series / "2.dcm").write_bytes(b"2")
        assert item_digest({"image": str(series)}) != one

    @pytest.mark.parametrize("content", [b"", b"PK half", b"no"])
    def test_a_damaged_file_is_made_anew(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes
    ) -> None:
        loads = Loads()
        made = DiskCache([self.item(tmp_path)], Compose([loads]), tmp_path / "cache/k")
        made[0]
        [file] = (tmp_path / "cache" / "k").iterdir()
        file.write_bytes(content)
        assert float(made[0]["image"][0, 0, 0]) == 7.0
        assert "cannot be read" in caplog.text
        assert len(loads.loaded) == 2
        made[0]
        assert len(loads.loaded) == 2

    def test_a_full_disk_costs_only_time(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        made = DiskCache([self.item(tmp_path)], Compose([Loads()]), tmp_path / "cache/k")

        def full(*_: Any) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(torch, "save", full)
        assert float(made[0]["image"][0, 0, 0]) == 7.0
        assert not list((tmp_path / "cache" / "k").iterdir())


class TestBudget:
    def test_half_of_what_is_free(self) -> None:
        assert 0 < CacheBudget().left <= free_memory()

    def test_caches_share_it(self) -> None:
        budget = CacheBudget(1e-6)
        assert [budget.reserve(size) for size in (600, 600, 400)] == [True, False, True]
        budget.release(600)
        assert budget.left == 600

    def test_caches_share_the_disk(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(budget_module.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 2000}))
        budget = CacheBudget(1, tmp_path / "cache")
        assert [budget.reserve_disk(size) for size in (1001, 600, 600, 400, 1)] == [False, True, False, True, False]

    def test_what_is_on_disk_already_needs_no_room(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(budget_module.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 2000}))
        (tmp_path / "mine").mkdir()
        (tmp_path / "mine/one.pt").write_bytes(bytes(900))
        budget = CacheBudget(1, tmp_path)
        assert [budget.reserve_disk(size, tmp_path / "mine") for size in (1901, 1900, 901)] == [False, True, False]

    def test_a_folder_that_cannot_be_written(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(budget_module.os, "access", lambda *_: False)
        assert not CacheBudget(1, tmp_path).reserve_disk(1)

    def test_a_container_has_less(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "max").write_text("5000000\n")
        (tmp_path / "now").write_text("1000000\n")
        monkeypatch.setattr(budget_module, "_CGROUPS", ((str(tmp_path / "max"), str(tmp_path / "now")),))
        assert free_memory() == 4_000_000
        (tmp_path / "max").write_text("max\n")
        assert free_memory() > 4_000_000


class Adds(Transform):
    def __init__(self, **fields: Any) -> None:
        self.fields = fields

    def __call__(self, data: dict[str, Any]) -> dict[str, Any]:
        return {**data, **self.fields}


def test_values_that_are_no_images_are_everyones_own() -> None:
    cached, _, plan = cache(Adds(points={(1, 2)}, box=(np.zeros(3),)))
    [first, *_] = epoch(cached, plan)
    first["points"].clear()
    first["box"][0][:] = 7
    again = cached[ItemKey(5, 1, 0, 0)]
    assert (again["points"], again["box"][0].tolist()) == ({(1, 2)}, [0, 0, 0])


def test_what_cannot_be_stored_is_made_each_time(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cached, loads, plan = cache(Adds(box=slice(1, 2)), SHIFT, gb=5e-6, folder=tmp_path)
    assert [item["box"] for item in epoch(cached, plan)] == [slice(1, 2)] * 6
    assert len(loads.loaded) == 7
    assert "cannot be stored" in caplog.text


class Grows(Transform):
    def __call__(self, data: dict[str, Any]) -> dict[str, Any]:
        number = int(data["image"].max())
        return data if number == 0 else {**data, "field": np.zeros(10_000)}


def test_items_that_are_larger_than_the_first_stop_the_filling(caplog: pytest.LogCaptureFixture) -> None:
    cached, _, plan = cache(Grows(), items=40, gb=4e-4)
    epoch(cached, plan)
    assert not cached.cache.held
    assert cached.cache.length == 0
    assert "are larger than the first one and do not fit" in caplog.text
    assert cached.cache.budget.left == 400_000
    assert "--cache-gb" in caplog.text


def test_a_cache_of_a_resumed_run_asks_for_the_windows_to_come(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    cached, _, plan = cache(SHIFT, items=12, cached=4, replace_percent=0.5, requested=True)
    epoch(cached, plan, 5)
    assert "caching 6 scans" in caplog.text
    assert cached.cache._reserved == 6 * 4000


def test_users_code_is_not_run_beside_the_training() -> None:
    """There it could neither be seeded by item nor be watched."""
    cached, loads, plan = cache(users(), SHIFT, cached=4, replace_percent=0.5, requested=True)
    epoch(cached, plan)
    cached.cache.prepare_ahead(2)
    assert cached.cache._ahead is None
    assert len(loads.loaded) == 4
    assert len(epoch(cached, plan, 2)) == 4
    assert len(loads.loaded) == 6


def test_what_is_joined_is_forgotten() -> None:
    cached, _, plan = cache(SHIFT, cached=4, replace_percent=0.5, requested=True)
    epoch(cached, plan)
    cached.cache.prepare_ahead(2)
    thread = cached.cache._ahead
    epoch(cached, plan, 2)
    assert thread not in background.running


def test_a_full_cache_is_not_looked_through_again(monkeypatch: pytest.MonkeyPatch) -> None:
    cached, _, plan = cache(SHIFT)
    epoch(cached, plan)
    monkeypatch.setattr(plan, "window", None)
    cached.prepare(2)


def test_a_finished_item_is_neither_seeded_nor_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    cached, _, plan = cache(Plain())
    epoch(cached, plan)
    monkeypatch.setattr(dataset_module, "seeded", None)
    [one, *_] = epoch(cached, plan, 2)
    assert type(one["image"]) is torch.Tensor
    assert one["image"].data_ptr() == cached.cache.held[cached.cache.key(0)]["image"].data_ptr()


def test_plain_tensors_in_front_of_users_code_are_copied() -> None:
    cached, _, plan = cache(Plain(), users(deterministic=False))
    assert values(epoch(cached, plan)) == values(epoch(cached, plan, 2)) == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]


class Plain(Transform):
    def __call__(self, data: dict[str, Any]) -> dict[str, Any]:
        return {**data, "image": data["image"].as_tensor()}


class Locked(Users):
    def __init__(self) -> None:
        self.lock = threading.Lock()


def test_what_cannot_be_told_from_others_is_not_kept_on_disk(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cached, loads, plan = cache(legacy_transform(Locked()), SHIFT, gb=5e-6, folder=tmp_path)
    for number in (1, 2):
        assert len(epoch(cached, plan, number)) == 6
    assert len(loads.loaded) == 1 + 12
    assert (
        "train: nothing is cached: 6 scans up to LegacyTransform, 0 MB do not fit into memory, and on disk they "
        in (caplog.text)
    )
    assert "could not be told from others' (Locked: transform.lock cannot be described" in caplog.text
    assert not list(tmp_path.iterdir())


class Keeps(Transform):
    """Holds what it was given, as user's code may."""

    def __init__(self, size: int) -> None:
        self.size, self.last = size, None

    def __call__(self, data: dict[str, Any]) -> dict[str, Any]:
        self.last = data["image"]
        return {**data, "image": data["image"] * self.size}


def test_an_edited_chain_has_a_cache_of_its_own(tmp_path: Path) -> None:
    """Whoever edits a transform of a config gets the items of the edited one."""
    found = []
    for size, start in ((2, 0), (3, 0), (2, 1), (2, 0)):
        data = [{"image": f"scan{i}.nii"} for i in range(start, 6)]
        cached, loads, plan = cache(Keeps(size), SHIFT, gb=5e-6, folder=tmp_path, data=data)
        epoch(cached, plan)
        found.append((cached.cache.disk.folder.name, len(loads.loaded)))
        items = [cached.cache.get(index)[0]["image"][0, 0, 0] for index in range(len(data))]
        assert items == [size * number for number in range(start, 6)]
    (first, made), (edited, anew), *again = found
    assert first != edited
    assert made == anew == 7
    assert again == [(first, 1), (first, 1)]
