"""The data loader of a legacy pipeline."""

from __future__ import annotations

import logging
import math
import multiprocessing
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from typing import Any

import torch
from monai.data import DataLoader, ThreadBuffer

from clara_compat.common.launch import processes_here
from clara_compat.engine.data.background import wait_for_threads
from clara_compat.engine.data.batch import collate
from clara_compat.engine.data.dataset import SeededDataset
from clara_compat.engine.data.device_loading import Begun, in_thread
from clara_compat.engine.data.device_part import DevicePart
from clara_compat.engine.data.epoch_plan import EpochPlan
from clara_compat.engine.data.items import size_of
from clara_compat.engine.data.sampler import EpochSampler
from clara_compat.engine.data.skipping import STOP, SkippedItems, SkippingBatch
from clara_compat.engine.distributed.gather import rank, size

__all__ = ["data_loader", "shared_memory_free", "stop_workers"]

logger = logging.getLogger("clara_compat")

_LONGEST_TMPDIR = 62
"""Characters of a temporary folder in which a socket's name, at most 107 characters, has room for multiprocessing's
``/pymp-xxxxxxxx/listener-PID-N-xxxxxxxx``."""
_LARGEST = 1 << 30
"""Bytes of an image and its label that no scan is expected to exceed: with room for that many, none is measured."""


class _Loader(DataLoader):
    """Lets the dataset prepare an epoch before workers start, and starts none that cannot work or have nothing to do.

    Batches come without what was skipped, which goes into ``skipped``; one that is empty by that does not come at all.

    Args:
        dataset: the items.
        in_flight: batches that wait in shared memory at a time.
        item_bytes: size of an item where it is known.
        arguments: of torch's loader.
    """

    dataset: Any
    sampler: Any
    batch_sampler: Any

    def __init__(
        self, dataset: SeededDataset | Begun, *, in_flight: int, item_bytes: int | None, **arguments: Any
    ) -> None:
        super().__init__(dataset, **arguments)
        self._arguments = arguments
        self._begun: _Loader | None = None  # gives what the device's transforms go on with
        self.in_flight = in_flight
        self.item_bytes = item_bytes
        self.skipped = SkippedItems(dataset.data, dataset.section)
        self.fills = False
        """Whether the batch that was given last is only there because every process has one."""
        self._buffer = 0  # batches that a thread makes ahead
        self._started = False

    def run_on(self, part: DevicePart | None) -> None:
        """Run the end of the chain on a device from the next epoch on, or, with None, where its beginning runs."""
        self.dataset.device_part = part
        self.stop_workers()  # those that stay have the chain as it was

    def stop_workers(self) -> None:
        """End the workers that stay from epoch to epoch; the next epoch starts others."""
        self._begun, self._iterator = None, None

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]  # torch annotates it with a private class
        return self._batches() if self.dataset.on_bad_item == STOP else self._without_skipped()

    def _without_skipped(self) -> Iterator[Any]:
        """Give the batches; nothing is begun before the first is asked for, as engines start again what ended early."""
        epoch = self.sampler.epoch
        for number, batch in enumerate(self._batches(), self.sampler.first_batch(epoch)):
            self.fills = False
            if not isinstance(batch, SkippingBatch):
                yield batch
                continue
            if self.sampler.share(number):  # its own items: the others have a book, too
                self.skipped.enter(batch.skipped, epoch)
            self.fills = batch.fills
            if batch.batch is not None:
                yield batch.batch

    def _batches(self) -> Iterator[Any]:
        self.dataset.prepare(self.sampler.epoch)
        if self.dataset.device_part is not None:
            return self._on_device(self.dataset.device_part)
        if self.dataset.is_ready:
            self.num_workers = 0
        if self.num_workers and not self._started:
            self._check_sockets()
        if self.num_workers and not self._started:
            self._check_shared_memory()
        if self.num_workers:
            self._started = True
            wait_for_threads()
        batches: Iterator[Any] = super().__iter__()
        return iter(ThreadBuffer(batches, self._buffer)) if self._buffer else batches

    def _on_device(self, part: DevicePart) -> Iterator[Any]:
        """Give the batches, on the device: workers, where there is anything for them, begin the items."""
        if part.reaches(self.dataset.cache):
            return in_thread(collate(self.dataset.batch_of(keys, [None] * len(keys))) for keys in self.batch_sampler)
        if self._begun is None:
            given = {**self._arguments, "collate_fn": list, "pin_memory": False}
            self._begun = _Loader(Begun(self.dataset), in_flight=self.in_flight, item_bytes=self.item_bytes, **given)
        found = iter(self._begun)
        batches = (collate(self.dataset.batch_of(*zip(*pairs, strict=True))) for pairs in found)
        # without workers the beginning of the chain is seeded in this process: not beside the training loop
        return in_thread(batches) if self._begun.num_workers else batches

    def _check_sockets(self) -> None:
        """Load without workers where the sockets through which they hand batches over have too long a name; say so.

        A worker would wait for ever: the error is raised in a thread of its own.
        """
        folder = tempfile.gettempdir()
        if torch.multiprocessing.get_sharing_strategy() == "file_descriptor" and len(folder.encode()) > _LONGEST_TMPDIR:
            logger.warning(
                "the temporary folder %s has too long a path for the sockets of worker processes (at most %d "
                "characters): loading in %s instead of %d of them; set TMPDIR to a folder with a shorter path",
                folder,
                _LONGEST_TMPDIR,
                self._instead(),
                self.num_workers,
            )
            self._load_here()

    def _check_shared_memory(self) -> None:
        """Load without workers where shared memory is too small for what is in flight, and say so."""
        items = self.in_flight * (self.batch_size or 1)
        # Two loaders of every process may be alive at a time: each may take its part of what is there.
        free = shared_memory_free() // (2 * processes_here())
        if self.item_bytes is None and free <= items * _LARGEST:
            self.item_bytes = sum(size_of(self.dataset[key]) for key in self.sampler.keys(self.sampler.epoch)[:1])
        needed = items * (self.item_bytes or 0)
        if needed <= free:
            return
        logger.warning(
            "shared memory (/dev/shm) has %d MB free and the data loader needs about %d MB: loading in %s instead of "
            "%d worker processes; give the container more of it (docker run --shm-size=8g) to have them",
            shared_memory_free() >> 20,
            needed >> 20,
            self._instead(),
            self.num_workers,
        )
        self._load_here()

    def _instead(self) -> str:
        return "the main process" if self.dataset.single_thread else "a thread"

    def _load_here(self) -> None:
        """Have no worker processes."""
        self._buffer = 0 if self.dataset.single_thread else self.in_flight // self.num_workers
        self.num_workers = 0


def data_loader(
    dataset: SeededDataset,
    plan: EpochPlan,
    *,
    batch_size: int,
    num_workers: int = 4,
    prefetch_size: int = 0,
    keep_workers: bool = False,
    item_bytes: int | None = None,
) -> DataLoader:
    """Make the loader that feeds an engine.

    The result does not depend on ``num_workers``, so never more are started than the machine has processors (of which
    each of several processes has its part), and none for a dataset whose items lie ready in memory. The last batch of
    an epoch may be smaller. Workers hand batches over through shared memory; where ``/dev/shm`` is too small for what
    is in flight (containers often have 64 MB), one background thread loads instead (none under determinism, where the
    thread's seeding would mix with the training loop's), and a notice says so.

    Args:
        dataset: the items.
        plan: which of them an epoch has.
        batch_size: items of the data list per batch.
        num_workers: worker processes; 0 loads in the main process.
        prefetch_size: batches to prepare ahead, over all workers; 0 for two per worker.
        keep_workers: keep the workers from epoch to epoch, when the cached items do not change.
        item_bytes: size of an item where it is known; otherwise the first item is measured when shared memory could
            be too small.
    """
    sampler = EpochSampler(plan, num_replicas=size(), rank=rank(), batch_size=batch_size)
    workers = min(num_workers, max(1, (os.cpu_count() or 1) // processes_here()))
    common: dict[str, Any] = {
        "batch_size": batch_size,
        "sampler": sampler,
        "collate_fn": collate,
        # Its own generator: MONAI's loader would reset torch's, torch's loader would draw from it, each only sometimes.
        "generator": torch.Generator().manual_seed(plan.seed),
        "pin_memory": torch.cuda.is_available(),
    }
    if workers == 0:
        return _Loader(dataset, in_flight=0, item_bytes=item_bytes, **common)
    prefetch = max(1, math.ceil(prefetch_size / workers)) if prefetch_size else 2
    return _Loader(
        dataset,
        in_flight=prefetch * workers,
        item_bytes=item_bytes,
        num_workers=workers,
        prefetch_factor=prefetch,
        persistent_workers=keep_workers and not plan.replaced,
        # Forked, workers have the user's modules, which are in no registry that another start could find.
        multiprocessing_context="fork" if "fork" in multiprocessing.get_all_start_methods() else None,
        **common,
    )


def stop_workers(objects: Iterable[Any]) -> None:
    """End the workers of the loaders among a run's objects: a run that ended keeps no processes.

    Args:
        objects: of a run's parser.
    """
    for loader in objects:
        if isinstance(loader, _Loader):
            loader.stop_workers()


def shared_memory_free() -> int:
    """Return the free bytes of ``/dev/shm`` (plenty where the system has none)."""
    try:
        return shutil.disk_usage("/dev/shm").free  # noqa: S108 -- asked for its size, nothing is written by us
    except OSError:
        return 1 << 62
