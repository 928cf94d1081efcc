"""What the deterministic beginning of a chain makes of the items, kept from epoch to epoch."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from multiprocessing.pool import ThreadPool
from typing import Any

import torch
from monai.transforms import Compose
from tqdm import tqdm

from clara_compat.engine.data import background
from clara_compat.engine.data.budget import CacheBudget
from clara_compat.engine.data.chain import cached_length, has_users_code
from clara_compat.engine.data.chain_identity import ChainIdentity
from clara_compat.engine.data.datalist import item_key
from clara_compat.engine.data.describe import IndescribableError
from clara_compat.engine.data.disk_cache import DiskCache
from clara_compat.engine.data.epoch_plan import EpochPlan
from clara_compat.engine.data.items import Item, shared, size_of
from clara_compat.engine.data.seeding import drawn_from, seeded
from clara_compat.engine.data.skipping import STOP, OnBadItem
from clara_compat.engine.handlers.bar import unwanted
from clara_compat.engine.item_context import ItemKey
from clara_compat.engine.legacy.transform import LegacyTransform

__all__ = ["ItemCache"]

logger = logging.getLogger("clara_compat")


class ItemCache:
    """Keeps the items as they are in front of the first transform that is random.

    In memory where they fit into the budget, otherwise on disk, otherwise not at all; a line of the log says which.
    Entries of the data list that are alike are held once. Only the items of the coming epoch are held (all, or the
    window of a smart cache); they are made by :meth:`prepare`, which the loader calls before its workers start, so
    that these share the memory. MONAI's ``SmartCacheDataset`` is not used: its window depends on the epochs that went
    before, and an error in its thread waits for ever.

    A transform of the user's that draws random numbers and does not override ``is_deterministic()`` is noticed at the
    first item. A pipeline that Clara did not cache then caches up to it; in a cache that the config asks for its first
    result is kept, as Clara kept it, and a warning says so.

    Args:
        data: items of the data list.
        transform: the whole chain.
        plan: the items of each epoch.
        budget: what the caches of the run share.
        section: ``train`` or ``validate``, for messages.
        requested: the config asks for the cache (a pipeline ``WithCache``).
        num_workers: threads that make the items, where no user code is among the transforms.
        on_bad_item: as the dataset takes it; unless it is ``stop``, what can be made is cached without the rest.
    """

    def __init__(
        self,
        data: Sequence[Mapping[str, Any]],
        transform: Compose,
        plan: EpochPlan,
        budget: CacheBudget,
        *,
        section: str = "",
        requested: bool = False,
        num_workers: int = 1,
        on_bad_item: OnBadItem = STOP,
    ) -> None:
        self.data = data
        self.transform = transform
        self.plan = plan
        self.budget = budget
        self.section = section
        self.requested = requested
        self.num_workers = num_workers
        self.on_bad_item = on_bad_item
        self.length = 0 if budget.is_off else cached_length(transform)
        """How many transforms of the chain are cached."""
        self.disk: DiskCache | None = None
        self.held: dict[str, Item] = {}
        """The items in memory, by :meth:`key`."""
        self._keys = [item_key(item) for item in data]
        self._decided = False
        self._filled = False
        self._draws = False
        self._drew = False
        self._reserved = 0
        self._ahead: threading.Thread | None = None
        self._coming: dict[str, Item] = {}

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left to do for an item but to take it out of memory."""
        return bool(self.held) and self.length == len(self.transform.transforms)

    def key(self, index: int) -> str:
        """Return what entry ``index`` of the data list has in common with those that are like it."""
        return self._keys[index]

    def get(self, index: int) -> tuple[Item, int]:
        """Return item ``index`` and how many transforms it has behind it."""
        held = self._from_memory(index)
        if held is not None:
            return held, self.length
        if self.disk is not None:
            return self.disk[index], self.length
        if self._draws:  # the same draws in every epoch, as if the result had been kept
            with seeded(None, ItemKey(self.plan.seed, 0, index, index)):
                return self.transform(dict(self.data[index]), end=self.length), self.length
        return dict(self.data[index]), 0

    def finished(self, index: int) -> Item | None:
        """Return item ``index`` when nothing is left to do for it; None when there still is."""
        return self._from_memory(index) if self.is_complete else None

    def _from_memory(self, index: int) -> Item | None:
        held = self.held.get(self._keys[index]) if self.held else None
        return None if held is None else shared(held, copied=has_users_code(self.transform.transforms[self.length :]))

    def prepare(self, epoch: int) -> None:
        """Hold the items of ``epoch``; to be called in the main process before its first item is asked for."""
        if not self._decided:
            self._decided = True
            self._decide(max(epoch, 1))
        if not self._reserved or (self._filled and not self.plan.replaced):
            return
        if self._ahead is not None:
            self._ahead.join()
            background.running.discard(self._ahead)
            self._ahead = None
        wanted = {self._keys[index]: index for index in self.plan.needed(epoch)}
        known = {**self.held, **self._coming}
        self.held = {key: known[key] for key in wanted if key in known}
        self._coming = {}
        missing = {key: index for key, index in wanted.items() if key not in self.held}
        if missing:
            self.held.update(self._made(missing, shown=not unwanted()))
            self._check_draws()
        self._check_size()
        self._filled = True

    def prepare_ahead(self, epoch: int) -> None:
        """Make in the background what ``epoch`` needs and is not held; :meth:`prepare` waits for it.

        To be called when the workers of the running epoch have started: a process must not fork beside a busy thread.
        Users' code is left to :meth:`prepare`: beside the training loop it can neither be seeded by item nor be watched
        for draws, and it may not be made for threads.
        """
        if not self._reserved or self._ahead is not None or has_users_code(self.transform.transforms[: self.length]):
            return
        missing = {key: i for i in self.plan.needed(epoch) if (key := self._keys[i]) not in self.held}
        if missing:
            self._ahead = threading.Thread(target=self._make_ahead, args=(missing,), daemon=True)
            background.running.add(self._ahead)
            self._ahead.start()

    def _make_ahead(self, missing: Mapping[str, int]) -> None:
        self._coming = self._made(missing, shown=False)

    def _decide(self, epoch: int) -> None:
        """Choose memory, disk or nothing by the size of the first item of ``epoch``."""
        window = self.plan.needed(epoch)
        if not self.length or not window:
            return
        identity = ChainIdentity(self.transform.transforms[: self.length])
        tried, first = None, None
        for tried in window[: 1 if self.on_bad_item == STOP else len(window) // 2 + 1]:
            with suppress(Exception, SystemExit):  # the dataset meets it again and reports it with its address
                first = self._first(tried)
                break
        if tried is None or first is None:
            self.length = 0
            return
        if not self.length:
            return
        coming = {self._keys[i] for i in (*window, *self.plan.needed(epoch + 1))}
        needed = size_of(first) * len(coming)
        name = type(self.transform.transforms[self.length - 1]).__name__
        told = f"{len(coming)} {'scan' if len(coming) == 1 else 'scans'} up to {name}, {needed / 1e6:.0f} MB"
        if self.budget.reserve(needed):
            self._reserved = needed
            self.held[self._keys[tried]] = first
            logger.info("%s: caching %s in memory", self.section, told)
        elif self._draws:
            logger.warning("%s: nothing is cached: %s do not fit into memory", self.section, told)
        else:
            self._keep_on_disk(needed, identity, told)

    def _keep_on_disk(self, needed: int, identity: ChainIdentity, told: str) -> None:
        """Keep the items on disk, where there is room and where what makes them can be told from others."""
        try:
            folder = self.budget.folder / identity.key(self.length)
        except IndescribableError as error:
            why = f"do not fit into memory, and on disk they could not be told from others' ({error})"
        else:
            if self.budget.reserve_disk(needed, folder):
                self.disk = DiskCache(self.data, Compose(self.transform.transforms[: self.length]), folder)
                left = self.budget.left / 1e6
                logger.info("%s: caching %s in %s, as memory is left for %.0f MB", self.section, told, folder, left)
                return
            why = "fit neither into memory nor on disk"
        self.length = 0
        logger.warning("%s: nothing is cached: %s %s", self.section, told, why)

    def _give_up(self) -> None:
        """Cache nothing any more; others may have the memory."""
        self.budget.release(self._reserved)
        self.held, self._reserved, self.length = {}, 0, 0

    def _first(self, index: int) -> Item:
        """Make the first item transform by transform, and find those that draw although they say they do not."""
        item: Any = dict(self.data[index])
        with seeded(self.transform, ItemKey(self.plan.seed, 0, index, index), single_thread=True):
            for number, transform in enumerate(self.transform.transforms[: self.length]):
                with drawn_from() as drawn:
                    item = self.transform(item, start=number, end=number + 1)
                if drawn():
                    self._warn_of_draws(getattr(transform, "name", type(transform).__name__))
                    if not self.requested:
                        self.length = number
                        return self.transform(dict(self.data[index]), end=number)  # it may have written into its input
                    self._draws = True
        return item

    def _check_draws(self) -> None:
        """Deal with a transform that drew for some items, though not for the first one."""
        if not self._drew:
            return
        names = [one.name for one in self.transform.transforms[: self.length] if isinstance(one, LegacyTransform)]
        self._warn_of_draws(" or ".join(names))
        self._drew = False
        if self.requested:
            self._draws = True
        else:
            self._give_up()

    def _warn_of_draws(self, name: str) -> None:
        what = "its first result is kept, as in Clara" if self.requested else "what it makes is not cached"
        logger.warning(
            "%s: %s draws random numbers although its is_deterministic() is True: %s; override is_deterministic()",
            self.section,
            name,
            what,
        )

    def _made(self, missing: Mapping[str, int], *, shown: bool) -> dict[str, Item]:
        """Make items; one that fails is left out, and made (and reported) when the epoch comes to it.

        Users' code is seeded by item, and watched for draws.
        """
        users = has_users_code(self.transform.transforms[: self.length])
        workers = 1 if users else max(1, min(self.num_workers, len(missing)))
        threads = torch.get_num_threads()
        bar = tqdm(total=len(missing), desc=f"caching ({self.section})", unit="scan", delay=1, disable=not shown)
        made: dict[str, Item] = {}
        size, most = sum(map(size_of, self.held.values())), self._reserved + self.budget.left
        make = self._make_watched if users else self._make
        with bar, ThreadPool(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            for key, item in pool.imap_unordered(make, missing.items()):
                bar.update()
                if item is not None:
                    made[key] = item
                    size += size_of(item)
                if size > most:  # the caller gives the cache up, now rather than when memory is full
                    break
        torch.set_num_threads(threads)  # the pool's threads have changed what new threads start with
        return made

    def _make(self, entry: tuple[str, int]) -> tuple[str, Item | None]:
        key, index = entry
        try:
            return key, self.transform(dict(self.data[index]), end=self.length)
        except (Exception, SystemExit):  # noqa: BLE001 -- the dataset meets it again and reports it with its address
            return key, None

    def _make_watched(self, entry: tuple[str, int]) -> tuple[str, Item | None]:
        with seeded(None, ItemKey(self.plan.seed, 0, entry[1], entry[1])), drawn_from() as drawn:
            made = self._make(entry)
            self._drew = self._drew or (drawn() and not self._draws)
        return made

    def _check_size(self) -> None:
        """Give the cache up when the items turn out larger than the first one promised and the budget has."""
        size = sum(map(size_of, self.held.values()))
        if size <= self._reserved:
            return
        if self.budget.reserve(size - self._reserved):
            self._reserved = size
        else:
            logger.warning(
                "%s: the scans are larger than the first one and do not fit into the cache's memory: nothing is cached "
                "(--cache-gb gives it more)",
                self.section,
            )
            self._give_up()
