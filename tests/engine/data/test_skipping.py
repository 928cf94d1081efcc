"""Which items take the place of one that cannot be made, and the book of what was skipped."""

from __future__ import annotations

import logging
from typing import Any

import pytest
import torch
from ignite.engine import Engine, Events
from monai.transforms import Compose, Transform

from clara_compat.engine.data.batch import collate
from clara_compat.engine.data.budget import CacheBudget
from clara_compat.engine.data.cache import ItemCache
from clara_compat.engine.data.dataset import SeededDataset
from clara_compat.engine.data.epoch_plan import EpochPlan
from clara_compat.engine.data.failure import ItemError, ItemFailure
from clara_compat.engine.data.loader import data_loader
from clara_compat.engine.data.skipping import SkippedItems, SkippingBatch, substitutes
from clara_compat.engine.handlers.skip_report import ShortValidation, SkipReport
from clara_compat.engine.item_context import ItemKey
from clara_compat.errors import ClaraError


class Reads(Transform):
    """Makes an image of its number, with a draw; some cannot be read."""

    def __init__(self, *bad: int, error: BaseException | None = None, draws: bool = True) -> None:
        self.bad = bad
        self.draws = draws
        self.error = error or ClaraError("the file is cut off")

    def __call__(self, data: dict[str, Any]) -> dict[str, Any]:
        number = int(data["path"].split(".")[0])
        if number in self.bad:
            raise self.error
        return {"image": torch.tensor([[number, torch.rand(()).item() if self.draws else 0.5]])}


def dataset(*bad: int, items: int = 6, error: BaseException | None = None, **options: Any) -> SeededDataset:
    data = [{"path": f"{number}.nii"} for number in range(items)]
    return SeededDataset(data, Compose([Reads(*bad, error=error)]), section="train", **options)


def keys(*indices: int) -> list[ItemKey]:
    return [ItemKey(3, 2, position, index) for position, index in enumerate(indices)]


def numbers(items: list[Any]) -> list[int]:
    return [int(one["image"][0, 0]) for one in items if isinstance(one, dict)]


@pytest.mark.parametrize(
    ("index", "items", "categories", "expected"),
    [
        (1, 6, None, [2, 3, 4]),
        (5, 6, None, [0, 1, 2]),
        (0, 6, list("abaaab"), [2, 3, 4]),
        (1, 6, list("abaaab"), [5, 2, 3]),
        (0, 1, None, []),
    ],
)
def test_the_next_items_of_the_list(index: int, items: int, categories: list[str] | None, expected: list[int]) -> None:
    assert substitutes(index, items, categories) == expected


def test_the_place_of_an_item_keeps_its_draws() -> None:
    made = dataset(1, 2, on_bad_item="replace").__getitems__(keys(0, 1, 5))
    assert numbers(made) == [0, 3, 5]
    whole = dataset().__getitems__([ItemKey(3, 2, 1, 3)])
    assert torch.equal(made[1]["image"], whole[0]["image"]), "as item 3 would be at position 1"
    failures = [one for one in made if isinstance(one, ItemFailure)]
    assert [(one.files, one.position, one.instead) for one in failures] == [("path 1.nii", 1, 3), ("path 2.nii", 1, 3)]
    batch = collate(made)
    assert isinstance(batch, SkippingBatch)
    assert batch.batch["image"].shape == (3, 1, 2)


def test_a_case_is_left_out() -> None:
    made = dataset(1, on_bad_item="leave_out").__getitems__(keys(0, 1))
    assert numbers(made) == [0]
    alone = collate(dataset(1, on_bad_item="leave_out").__getitems__(keys(1)[:1]))
    assert isinstance(alone, SkippingBatch)
    assert alone.batch is None


@pytest.mark.parametrize(
    "error",
    [MemoryError(), OSError(28, "No space left on device", "/x"), SystemExit(1)],
    ids=["memory", "disk", "exit"],
)
@pytest.mark.parametrize("how", ["replace", "leave_out"])
def test_what_is_nothing_of_the_item_is_never_skipped(how: Any, error: BaseException) -> None:
    [failure] = dataset(1, error=error, on_bad_item=how).__getitems__(keys(0, 1))
    assert isinstance(failure, ItemFailure)
    assert not failure.skipped


def test_too_many_in_a_row_are_a_failure() -> None:
    [failure] = dataset(0, 1, 2, 3, on_bad_item="replace").__getitems__(keys(0))
    assert (
        "4 items in a row of the 6 of the data list cannot be made, too many to skip; the first: the" in failure.reason
    )
    assert not failure.skipped


def test_who_asks_for_an_item_is_told() -> None:
    with pytest.raises(ItemError, match="the file is cut off"):
        dataset(1, on_bad_item="replace")[1]


def test_the_cache_holds_what_can_be_made(caplog: pytest.LogCaptureFixture) -> None:
    data = [{"path": f"{number}.nii"} for number in range(6)]
    chain = Compose([Reads(0, 4, draws=False)])
    plan = EpochPlan(data, shuffle=False, seed=3)
    cache = ItemCache(data, chain, plan, CacheBudget(1), section="train", on_bad_item="replace")
    made = SeededDataset(data, chain, cache=cache, section="train", on_bad_item="replace")
    loader = data_loader(made, plan, batch_size=2, num_workers=0)
    loader.sampler.set_epoch(1)
    with caplog.at_level(logging.WARNING):
        batches = [batch["image"][:, 0, 0].int().tolist() for batch in loader]
    assert batches == [[1, 1], [2, 3], [5, 5]]
    assert len(cache.held) == 4
    assert {one.files: one.times for one in loader.skipped.items.values()} == {"path 0.nii": 1, "path 4.nii": 1}
    assert loader.skipped.instead == {(1, 0): 1, (1, 4): 5}
    assert caplog.text.count("an item cannot be made and is replaced") == 2


def test_a_shorter_validation_ends_cleanly() -> None:
    data = [{"path": f"{number}.nii"} for number in range(4)]
    plan = EpochPlan(data, shuffle=False, seed=3)
    loader = data_loader(
        SeededDataset(data, Compose([Reads(0, 3)]), section="validate", on_bad_item="leave_out"),
        plan,
        batch_size=1,
        num_workers=0,
    )
    seen: list[int] = []
    evaluator = Engine(lambda engine, batch: seen.append(int(batch["image"][0, 0, 0])))
    evaluator.data_loader = loader  # type: ignore[attr-defined]
    trainer = Engine(lambda engine, batch: None)
    trainer.data_loader = data_loader(dataset(), EpochPlan(data, shuffle=False, seed=3), batch_size=2, num_workers=0)  # type: ignore[attr-defined]
    fired: list[str] = []
    for event in (Events.EPOCH_COMPLETED, Events.COMPLETED):
        evaluator.add_event_handler(event, lambda _, name=event.name: fired.append(name))
    SkipReport(evaluator).attach(trainer)
    ShortValidation().attach(evaluator)
    for epoch in (1, 2):
        loader.sampler.set_epoch(epoch)
        evaluator.state.epoch_length = 4
        evaluator.state.max_epochs, evaluator.state.epoch, evaluator.state.iteration = epoch, epoch - 1, 0
        evaluator.run(loader)
    assert seen == [1, 2, 1, 2]
    assert fired == ["EPOCH_COMPLETED", "COMPLETED"] * 2


def test_the_book_goes_on_and_processes_are_merged() -> None:
    failure = ItemFailure("cut off", "path 1.nii", "train", skippable=True, skipped=True, position=0, instead=2)
    book = SkippedItems([{"path": "1.nii"}, {"path": "1.nii"}, {"path": "2.nii"}], "train")
    assert book.distinct == 2
    book.enter([failure, failure], 1)
    other = SkippedItems(book.data, "train")
    other.restore(book.told())
    other.enter([failure], 2)
    [told] = other.told()
    assert told == {"files": "path 1.nii", "reason": "cut off", "section": "train", "times": 3}
    assert book.of_all([book.told(), other.told()]).told() == [{**told, "times": 5}]
