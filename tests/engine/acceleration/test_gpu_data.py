"""Whether the transforms run on the GPU: chosen, checked, said and kept. A CPU stands for the GPU."""

from __future__ import annotations

import logging
from typing import Any

import pytest
import torch
from ignite.engine import Events
from monai.data import MetaTensor
from monai.engines import SupervisedTrainer
from monai.transforms import Compose, Lambdad, RandFlipd, Transform
from torch import nn

from clara_compat.engine.acceleration import gpu_data
from clara_compat.engine.acceleration import handler as handlers
from clara_compat.engine.acceleration.handler import Acceleration
from clara_compat.engine.acceleration.same_items import difference
from clara_compat.engine.data import device_part
from clara_compat.engine.data.batch import prepare_batch
from clara_compat.engine.data.budget import CacheBudget
from clara_compat.engine.data.cache import ItemCache
from clara_compat.engine.data.dataset import SeededDataset
from clara_compat.engine.data.epoch_plan import EpochPlan
from clara_compat.engine.data.failure import ItemError, ItemFailure
from clara_compat.engine.data.loader import data_loader
from clara_compat.engine.transforms.add_constant import RandAddConstantd
from clara_compat.engine.transforms.batch_fields import BatchFields

CPU = torch.device("cpu")


class Loads(Transform):
    """Stands for a loader."""

    def __call__(self, data: dict[str, Any]) -> dict[str, Any]:
        if data["image"] == "broken":
            raise OSError("cannot be read")
        image = MetaTensor(torch.arange(64.0).reshape(1, 4, 4, 4) + len(data["image"]))
        return {"image": image, "label": image.as_tensor() > 30}


def chain() -> list[Any]:
    return [RandFlipd(["image", "label"], 0.5, 0), RandAddConstantd("image", 0.1), BatchFields(track_meta=False)]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """A CPU that counts as a GPU; a step takes ``plain`` seconds, and ``device`` with its data on it."""
    seconds = {"plain": 2.0, "device": 1.0}
    at = [0.0]

    def now(engine: Any) -> float:
        part = engine.data_loader.dataset.device_part
        at[0] += seconds["plain" if part is None else "device"]
        return at[0]

    monkeypatch.setattr(gpu_data, "_is_gpu", lambda engine: True)
    monkeypatch.setattr(gpu_data, "now", now)
    return seconds


def run(
    setting: str,
    transforms: list[Any] | None = None,
    *,
    epochs: int = 5,
    items: int = 8,
    state: Any = None,
    data: list[str] | None = None,
    **options: Any,
) -> Any:
    """Train, and return the trainer, with its batches and (``seen``) how many items each epoch had on the device."""
    entries = [{"image": name} for name in data or ["s" * i for i in range(items)]]
    compose = Compose([Loads(), *(chain() if transforms is None else transforms)])
    plan = EpochPlan(entries, shuffle=True, seed=3)
    cache = ItemCache(entries, compose, plan, CacheBudget(1), section="train")
    dataset = SeededDataset(entries, compose, cache=cache, section="train", **options)
    network = nn.Conv3d(1, 1, 1)
    acceleration = Acceleration(setting)
    trainer: Any = SupervisedTrainer(
        device=CPU,
        max_epochs=epochs,
        train_data_loader=data_loader(dataset, plan, batch_size=1, num_workers=0),
        network=network,
        optimizer=torch.optim.SGD(network.parameters(), 1e-4),
        loss_function=nn.MSELoss(),
        prepare_batch=prepare_batch,
        train_handlers=[acceleration],
        decollate=False,
    )
    trainer.seen, trainer.batches, trainer.handler = [], [], acceleration
    if state is not None:
        acceleration.load_state_dict(state)

    @trainer.on(Events.ITERATION_COMPLETED)
    def _(engine: Any) -> None:
        part = dataset.device_part
        if (engine.state.iteration - 1) % engine.state.epoch_length == 0:
            engine.seen.append(None if part is None else len(part.held))
        engine.batches.append(engine.state.batch["image"].clone())

    trainer.run()
    return trainer


def test_the_faster_way_is_kept(clock: dict[str, float], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    trainer, plain = run("auto"), run("off")
    # the levers of the step are settled in the first epoch; the second one is timed, and the third
    assert trainer.seen == [None, None, 8, 8, 8]
    assert plain.seen == [None] * 5
    assert all(torch.equal(*pair) for pair in zip(trainer.batches, plain.batches, strict=True))
    chosen = trainer.state.acceleration
    assert chosen["levers"] == ["gpu_data"]
    assert chosen["data"]["on"]
    before, after = chosen["data"]["seconds"]
    assert before == pytest.approx(2 * after)
    words = f"gpu_data: 2.0 x faster ({before:.2g} s -> {after:.2g} s for a step and its data)"
    assert chosen["told"].endswith(f"; {words}")
    assert f"accelerate: {words}" in caplog.messages


def test_no_epoch_is_timed_in_which_a_trial_of_the_levers_may_be(
    clock: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would count as time of one of the two ways. Here the second trial is in the third epoch."""
    found: Any = iter([{"levers": [], "again": 20}, {"levers": []}])
    monkeypatch.setattr(handlers, "_TRIALS", (3, 20))
    monkeypatch.setattr(Acceleration, "_choose", lambda *_: next(found))
    assert run("auto", epochs=6).seen == [None, None, None, None, 8, 8]


def test_the_slower_way_is_left(clock: dict[str, float]) -> None:
    clock["device"] = 1.95
    trainer, plain = run("auto"), run("off")
    assert trainer.seen == [None, None, 8, None, None]
    assert all(torch.equal(*pair) for pair in zip(trainer.batches, plain.batches, strict=True))
    chosen = trainer.state.acceleration
    assert chosen["levers"] == []
    assert chosen["told"].endswith("s for a step and its data, 0.29 s without it")
    assert "gpu_data off: 0.28 s" in chosen["told"]


def test_named_it_is_on_from_the_first_epoch_and_holds_from_the_second(clock: dict[str, float]) -> None:
    trainer = run("gpu_data", epochs=2)
    assert trainer.seen == [0, 8]
    assert trainer.state.acceleration == {
        "setting": "gpu_data",
        "levers": ["gpu_data"],
        "data": {"on": True},
        "told": "gpu_data: on",
    }


def test_a_resumed_training_keeps_what_was_chosen(clock: dict[str, float]) -> None:
    for first in (run("auto"), run("gpu_data")):
        resumed = run("auto", epochs=2, state=first.handler.state_dict())
        assert resumed.seen == [0, 8]
        assert resumed.state.acceleration["data"] == first.state.acceleration["data"]
    assert run("off", epochs=2, state=first.handler.state_dict()).seen == [None, None]
    without: Any = {"chosen": {"levers": []}}  # of a checkpoint that does not know of it
    assert run("auto", epochs=4, state=without).seen == [None, 8, 8, 8]


def test_on_a_cpu() -> None:
    assert run("auto", epochs=1).state.acceleration["levers"] == []
    assert "gpu_data" not in run("auto", epochs=1).state.acceleration["told"]
    named = run("gpu_data", epochs=1)
    assert named.seen == [None]
    assert named.state.acceleration["told"] == "gpu_data off: it needs a GPU, and the network computes on cpu"


def as_it_is(value: Any) -> Any:
    return value


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"single_thread": True}, "determinism is set"),
        ({"batch_transform": Compose([Lambdad("image", as_it_is)])}, "Lambdad, which is for batches, runs on the CPU"),
        ({"transforms": [BatchFields(track_meta=False)]}, "all of the transforms are cached"),
        (
            {"transforms": [*chain()[:2], Lambdad("image", as_it_is), chain()[2]]},
            "Lambdad runs on the CPU, and no transform follows",
        ),
    ],
)
def test_why_it_is_off(clock: dict[str, float], options: dict[str, Any], reason: str) -> None:
    trainer = run("gpu_data", epochs=1, **options)
    assert trainer.seen == [None]
    assert trainer.state.acceleration["told"] == f"gpu_data off: {reason}"


def test_items_that_cannot_be_made_compare_nothing(clock: dict[str, float], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with pytest.raises(ItemError, match="cannot be read"):
        run("gpu_data", epochs=1, data=["broken"])
    assert "accelerate: gpu_data off: no item could be made to compare it" in caplog.messages


def test_data_of_another_kind(clock: dict[str, float]) -> None:
    class Engine:
        data_loader = ()
        state = type("State", (), {"device": CPU})

    assert gpu_data.GpuData(True)._objection(Engine()) == "the data come from a loader of another kind"  # type: ignore[arg-type]


@pytest.mark.parametrize(("epochs", "items"), [(2, 8), (5, 3)])
def test_a_short_run_does_not_try_it(clock: dict[str, float], epochs: int, items: int) -> None:
    trainer = run("auto", epochs=epochs, items=items)
    assert trainer.seen == [None] * epochs
    assert trainer.state.acceleration["told"].endswith("gpu_data off: what is left of the run is too short to try it")


def test_several_processes_on_one_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    class Engine:
        state = type("State", (), {"device": torch.device("cuda")})

    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(gpu_data.idist, "get_nproc_per_node", lambda: 2)
    assert gpu_data.GpuData(True)._objection(Engine()) == "several processes share a GPU"  # type: ignore[arg-type]


def test_items_that_differ_leave_it_off(clock: dict[str, float], monkeypatch: pytest.MonkeyPatch) -> None:
    def other(item: Any, device: torch.device) -> Any:
        return {**item, "image": item["image"] + 1}

    plain = run("off", epochs=2)
    monkeypatch.setattr(device_part, "moved", other)
    trainer = run("gpu_data", epochs=2)
    assert trainer.seen == [None, None]
    assert trainer.state.acceleration["told"] == "gpu_data off: 'image' differs in 100.0% of its values"
    assert all(torch.equal(*pair) for pair in zip(trainer.batches, plain.batches, strict=True))


@pytest.mark.parametrize(("good", "seen"), [(0, [None, None, None]), (10, [0, None, None])])
def test_a_device_that_fails(
    clock: dict[str, float],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    good: int,
    seen: list[Any],
) -> None:
    calls = []

    def fails(item: Any, device: torch.device) -> Any:
        calls.append(item)
        if len(calls) > good:
            raise RuntimeError("CUDA error: not on this device\nmore")
        return item

    plain = run("off", epochs=3)
    with monkeypatch.context() as patched:
        patched.setattr(device_part, "moved", fails)
        patched.setattr(SeededDataset, "batch_of", _without_last_move)
        trainer = run("gpu_data", epochs=3)
    assert trainer.seen == seen
    assert all(torch.equal(*pair) for pair in zip(trainer.batches, plain.batches, strict=True))
    assert (
        "train: the transforms run on the CPU from here on, as cpu failed: RuntimeError: CUDA error: not" in caplog.text
    )
    assert caplog.text.count("from here on") == 1
    assert "gpu_data off: a transform failed on" in trainer.state.acceleration["told"]


def _without_last_move(self: SeededDataset, keys: Any, begun: Any) -> list[Any]:
    return [self._made(key, one)[0] for key, one in zip(keys, begun, strict=True)]


ITEM = {"image": torch.arange(5000.0), "label": torch.zeros(5000)}


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (ITEM, ""),
        ({**ITEM, "image": ITEM["image"] + 4.9}, ""),
        ({**ITEM, "image": ITEM["image"] + 5.1}, "'image' differs in 100.0% of its values"),
        ({**ITEM, "label": (torch.arange(5000) < 5).float()}, ""),
        ({**ITEM, "label": (torch.arange(5000) < 6).float()}, "'label' differs in 0.1% of its values"),
        ({**ITEM, "image": torch.full((5000,), torch.nan)}, "'image' differs in 100.0% of its values"),
        (
            {**ITEM, "label": torch.zeros(4)},
            r"'label' torch.float32 of shape (4,) instead of torch.float32 of shape (5000,)",
        ),
        ({"image": ITEM["image"]}, "its fields are image, not image, label"),
        (ItemFailure("no memory"), "no memory"),
    ],
)
def test_how_items_differ(other: Any, words: str) -> None:
    assert difference(ITEM, other) == words


def test_how_crops_differ() -> None:
    assert difference([ITEM], [ITEM, ITEM]) == "2 crops were made instead of 1"
    assert difference([ITEM, ITEM], [ITEM, {**ITEM, "image": -ITEM["image"]}]).startswith("'image' differs")
