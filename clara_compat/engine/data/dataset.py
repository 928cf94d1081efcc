"""The dataset of a legacy pipeline: one item for one key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from monai.transforms import Compose
from torch.utils.data import Dataset

from clara_compat.engine.data.cache import ItemCache
from clara_compat.engine.data.datalist import describe
from clara_compat.engine.data.device_part import DevicePart, moved
from clara_compat.engine.data.failure import ItemError, ItemFailure, failure
from clara_compat.engine.data.seeding import drawing, seeded
from clara_compat.engine.data.skipping import STOP, OnBadItem, none_can_be_made, substitutes
from clara_compat.engine.distributed.gather import size
from clara_compat.engine.item_context import ItemKey

__all__ = ["SeededDataset"]


class SeededDataset(Dataset):
    """Runs a transform chain on the items of a data list, every random draw a function of the item's key.

    A chain with a batching crop makes a list of items of one; a batch is the items of all its lists in a row.

    An item that cannot be made ends the run, or is skipped. In a training another one takes its place: the next of the
    data list (of its category, where the plan balances them) that can be made, with the random draws of its key. A
    validation leaves it out, as a case must not count twice. Either follows from the key and the files alone.

    Args:
        data: items of the data list.
        transform: the chain, usually ``monai.transforms.Compose``.
        cache: keeps what the deterministic beginning of the chain makes; None runs the whole chain every time.
        batch_transform: runs on the list of a batch's items, before they are stacked.
        section: ``train`` or ``validate``, for messages.
        single_thread: run the chain on one torch thread also in the main process (bit-equal results for any number of
            workers).
        on_bad_item: ``stop``, or for an item that cannot be made ``replace`` or ``leave_out``;
            where several processes go in step, a batch of which all are left out has another
            item that does not count.
    """

    def __init__(
        self,
        data: Sequence[dict[str, Any]],
        transform: Callable[[Any], Any],
        *,
        cache: ItemCache | None = None,
        batch_transform: Compose | None = None,
        section: str = "",
        single_thread: bool = False,
        on_bad_item: OnBadItem = STOP,
    ) -> None:
        self.data = data
        self.transform = transform
        self.cache = cache
        self.batch_transform = batch_transform
        self.section = section
        self.single_thread = single_thread
        self.on_bad_item = on_bad_item
        self.fills = size() > 1
        """Whether no batch may be without an item: several processes validate in step, none has fewer batches."""
        self.device_part: DevicePart | None = None
        """Where the end of the chain runs, if not where its beginning does."""

    def __len__(self) -> int:
        return len(self.data)

    @property
    def is_ready(self) -> bool:
        """Whether the items lie in memory as they are handed out."""
        return self.cache is not None and self.cache.is_complete

    def prepare(self, epoch: int) -> None:
        """Do what must be done in the main process before the first item of an epoch is asked for.

        Args:
            epoch: from 1.
        """
        if self.cache is not None:
            self.cache.prepare(epoch)
            if self.device_part is not None:
                self.device_part.hold(self.cache)

    def __getitem__(self, key: ItemKey | int) -> Any:
        """Return the item of ``key``; an index stands for that position of epoch 0 with seed 0.

        A failure is returned as a value when a sampler asked (:class:`ItemFailure`), and raised when a person did.
        """
        if isinstance(key, ItemKey):
            return self._item(key)
        item = self._item(ItemKey(0, 0, key, key))
        if isinstance(item, ItemFailure):
            raise ItemError(item)
        return item

    def __getitems__(self, keys: Sequence[ItemKey]) -> list[Any]:
        """Return the items of a batch, the lists of batching crops one after the other; a failure is returned alone.

        torch's loaders call this with all keys of a batch. Failures of items that were skipped follow the items.
        """
        return self.batch_of(keys, [None] * len(keys))

    def batch_of(self, keys: Sequence[ItemKey], begun: Sequence[Any]) -> list[Any]:
        """Return the items of a batch, as :meth:`__getitems__` does.

        Args:
            keys: of the items.
            begun: what :meth:`begin` made of each of them; None where it has not been called.
        """
        items: list[Any] = []
        skipped: list[Any] = []
        for key, one in zip(keys, begun, strict=True):
            made, failures = self._made(key, one)
            if isinstance(made, ItemFailure):
                return [made]
            items += made if isinstance(made, list) else [] if made is None else [made]
            skipped += failures
        if skipped and not items and self.fills:
            filler = self._filler(keys[0], skipped)
            if isinstance(filler, ItemFailure):
                return [filler]
            items = filler if isinstance(filler, list) else [filler]
            skipped = [replace(one, fills=True) for one in skipped]
        part = self.device_part
        if part is not None:  # an item that the device had no memory for lies elsewhere
            items = [part.moved(one) for one in items]
        if self.batch_transform is None or not self.batch_transform.transforms or not items:
            return items + skipped
        try:
            if part is not None:
                with drawing(self.batch_transform, keys[0], stream=1):
                    return [*self.batch_transform(items), *skipped]
            with seeded(self.batch_transform, keys[0], stream=1, single_thread=self.single_thread):
                return [*self.batch_transform(items), *skipped]
        except (Exception, SystemExit) as error:  # noqa: BLE001 -- whatever a user's transform raises is reported
            told = "; ".join(describe(self.data[key.index]) for key in keys)
            return [failure(error, self.batch_transform, told, f"{self.section}.batch")]

    def _made(self, key: ItemKey, begun: Any) -> tuple[Any, list[ItemFailure]]:
        """Return what stands for the item of ``key`` (None: nothing does) and what failed until it was made."""
        made = self[key] if begun is None else self._ended(key, begun)
        if not isinstance(made, ItemFailure) or not made.skippable or self.on_bad_item == STOP:
            return made, []
        failed = [made]
        if self.on_bad_item == "leave_out":
            return None, [replace(made, skipped=True, position=key.position)]
        categories = None if self.cache is None else self.cache.plan.categories
        for index in substitutes(key.index, len(self.data), categories):
            made = self[key._replace(index=index)]
            if not isinstance(made, ItemFailure):
                told = {one.files: replace(one, skipped=True, position=key.position, instead=index) for one in failed}
                return made, list(told.values())
            if not made.skippable:
                return made, []
            failed.append(made)
        return none_can_be_made(failed, len(self.data)), []

    def _filler(self, key: ItemKey, failed: list[ItemFailure]) -> Any:
        """Return an item that can be made, in the place of a batch of which none can."""
        for index in substitutes(key.index, len(self.data)):
            made = self[key._replace(index=index)]
            if not isinstance(made, ItemFailure) or not made.skippable:
                return made
            failed = [*failed, made]
        return none_can_be_made(failed, len(self.data))

    def begin(self, key: ItemKey) -> Any:
        """Return an item as it is in front of the transforms that run on the device, or its failure.

        Args:
            key: of the item.
        """
        part = self.device_part
        end = None if part is None else part.start
        try:
            item: Any
            held = None if part is None or self.cache is None else part.held_item(self.cache, key.index)
            if held is not None:
                return held
            item, done = (dict(self.data[key.index]), 0) if self.cache is None else self.cache.get(key.index)
            if done == end:
                return item
            with seeded(self.transform, key, single_thread=self.single_thread):
                return self.transform(item, start=done, end=end)  # type: ignore[call-arg]
        except (Exception, SystemExit) as error:  # noqa: BLE001 -- whatever a user's transform raises is reported
            return failure(error, self.transform, describe(self.data[key.index]), self.section)

    def _ended(self, key: ItemKey, begun: Any) -> Any:
        """Run the rest of the chain on the device; where that fails and the CPU can do it, there from then on."""
        part = self.device_part
        if part is None or isinstance(begun, ItemFailure):
            return begun
        try:
            return self._rest(key, part, part.moved(begun))
        except (Exception, SystemExit) as error:  # noqa: BLE001 -- whatever the device or a transform raises
            on_device = error
        try:
            made = self._rest(key, part, moved(begun, torch.device("cpu")))
        except (Exception, SystemExit) as error:  # noqa: BLE001 -- as above: it is the item's
            return failure(error, self.transform, describe(self.data[key.index]), self.section)
        if not part.gave_up:
            part.give_up(on_device, self.section)
        return made

    def _rest(self, key: ItemKey, part: DevicePart, item: Any) -> Any:
        with drawing(self.transform, key):
            return self.transform(item, start=part.start)  # type: ignore[call-arg]

    def _item(self, key: ItemKey) -> Any:
        if self.device_part is not None:
            return self._ended(key, self.begin(key))
        finished = None if self.cache is None else self.cache.finished(key.index)
        if finished is not None:
            return finished
        try:
            with seeded(self.transform, key, single_thread=self.single_thread):
                if self.cache is None:
                    return self.transform(dict(self.data[key.index]))
                item, done = self.cache.get(key.index)
                return self.transform(item, start=done)  # type: ignore[call-arg]
        except (Exception, SystemExit) as error:  # noqa: BLE001 -- whatever a user's transform raises is reported
            return failure(error, self.transform, describe(self.data[key.index]), self.section)
