"""The end of a chain that runs on the GPU, in the main process, and the cached items that are held there."""

from __future__ import annotations

import logging
from typing import Any

import torch
from monai.transforms import Compose

from clara_compat.engine.data.budget import free_memory
from clara_compat.engine.data.cache import ItemCache
from clara_compat.engine.data.items import Item, shared, size_of

__all__ = ["DevicePart", "device_start", "moved", "needing_the_cpu", "room"]

logger = logging.getLogger("clara_compat")

SHARE = 0.3
"""Of the device's free memory that cached items may take; the larger part is left for the network."""

_HOMES = ("monai.", "clara_compat.engine.transforms.")
_NAMES = frozenset(
    (
        "AsDiscreted",
        "BatchFields",
        "CenterCropOrPadd",
        "ConvertToChannelsFirstd",
        "ConvertToChannelsLastd",
        "DivisiblePadd",
        "LabelChannelsd",
        "LabelGroupsToChannelsd",
        "LabelsToOneHotd",
        "NormalizeIntensityd",
        "NormalizeNonzeroIntensityd",
        "RandAddConstantd",
        "RandAdjustContrastd",
        "RandAxisFlipd",
        "RandCropDisplacedd",
        "RandCropOrPadd",
        "RandCropPosNegROId",
        "RandFlipd",
        "RandGaussianNoised",
        "RandGaussianSharpend",
        "RandGaussianSmoothd",
        "RandRotate2Dd",
        "RandRotate90d",
        "RandScaleShiftIntensityd",
        "RandSpatialFlipd",
        "RandZoomd",
        "RepeatChanneld",
        "ResizeByFactord",
        "ResizeToShaped",
        "ScaleIntensityRanged",
    )
)
"""Transforms of MONAI and of ours that compute where the tensors they are given lie, and draw from MONAI's ``R`` only,
which is numpy's on the CPU: what is drawn is the same anywhere. Everything else runs on the CPU: users' code, loaders,
and what takes numpy or scipy for its work."""


def needing_the_cpu(transforms: Any) -> list[int]:
    """Return the positions of the transforms that must be given tensors on the CPU.

    Args:
        transforms: of a chain.
    """
    return [i for i, one in enumerate(transforms) if not _runs_anywhere(type(one))]


def _runs_anywhere(cls: type) -> bool:
    return cls.__name__ in _NAMES and cls.__module__.startswith(_HOMES)


def device_start(transform: Compose, cached: int) -> int:
    """Return from which transform on a chain can run on a device.

    It is the one behind the last that needs the CPU, and behind what is cached.

    Args:
        transform: the chain.
        cached: how many transforms are cached.
    """
    positions = needing_the_cpu(transform.transforms)
    return max(cached, positions[-1] + 1 if positions else 0)


def room(device: torch.device, share: float = SHARE) -> int:
    """Return the bytes of a device that cached items may take.

    torch keeps what a network's steps have needed, so it is not counted as free once they have run.

    Args:
        device: a GPU; a CPU, which stands for one in tests, has its free memory.
        share: of what is free.
    """
    free = torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else free_memory()
    return int(share * free)


def moved(item: Any, device: torch.device) -> Any:
    """Return an item with its tensors on a device; those that are there are not copied.

    Args:
        item: fields, or a list of such items.
        device: where to.
    """
    if isinstance(item, list):
        return [moved(one, device) for one in item]
    return {name: value.to(device) if isinstance(value, torch.Tensor) else value for name, value in item.items()}


class DevicePart:
    """Where the end of a chain runs, and what of the cache is held there.

    Items in front of the end are made as before: in workers, or taken out of the cache. Those of a cache that is in
    memory and reaches as far are copied to the device once, as many as fit; the others are copied each time. They stay
    in the cache's memory, too, unpinned: torch rounds pinned blocks up to powers of two, which would take up to twice
    what the cache was granted.

    This has been run with a CPU in the place of a GPU only.

    Args:
        device: of the network.
        start: the first transform that runs there.
        share: of the device's free memory that cached items may take.
    """

    def __init__(self, device: torch.device, start: int, share: float = SHARE) -> None:
        self.device = device
        self.start = start
        self.share = share
        self.gave_up = False
        """Whether the device could not do what the CPU could."""
        self.may_hold = False
        """Whether the network has run, so that what is free now is left over."""
        self.held: dict[str, Item] = {}
        """Items on the device, by the keys of the cache."""
        self._limit: int | None = None
        self._told = False

    def reaches(self, cache: ItemCache | None) -> bool:
        """Whether the cache holds in memory what this begins with, so that nothing is left for workers.

        Args:
            cache: of the training's items, if there is one.
        """
        return cache is not None and bool(cache.held) and cache.length == self.start

    def moved(self, item: Any) -> Any:
        """Return an item with its tensors on the device.

        Args:
            item: fields, or a list of such items.
        """
        return moved(item, self.device)

    def held_item(self, cache: ItemCache, index: int) -> Item | None:
        """Return an item that is held on the device, with metadata of its own; None when it is not.

        Args:
            cache: of the training's items.
            index: of the entry in the data list.
        """
        found = self.held.get(cache.key(index))
        return None if found is None else shared(found, copied=False)

    def hold(self, cache: ItemCache) -> None:
        """Hold the items of the coming epoch, as many as fit; to be called when the cache has prepared it.

        Args:
            cache: its items stay where they are.
        """
        if not self.may_hold or not self.reaches(cache):
            self.held = {}
            return
        if self._limit is None:
            self._limit = room(self.device, self.share)
        self.held = {key: item for key, item in self.held.items() if key in cache.held}
        size = sum(map(size_of, self.held.values()))
        for key, item in cache.held.items():
            if key in self.held or size + size_of(item) > self._limit:
                continue
            try:
                self.held[key] = self.moved(item)
            except torch.OutOfMemoryError:
                self._limit = size
                break
            size += size_of(item)
        if not self._told:
            self._told = True
            counts = len(self.held), len(cache.held)
            logger.info("%s: %d of %d cached scans, %d MB, lie on %s", cache.section, *counts, size >> 20, self.device)

    def give_up(self, error: BaseException, section: str) -> None:
        """Run on the CPU from here on, and say why.

        Args:
            error: what the device raised.
            section: ``train`` or ``validate``.
        """
        while error.__cause__ is not None:
            error = error.__cause__
        words = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        logger.warning("%s: the transforms run on the CPU from here on, as %s failed: %s", section, self.device, words)
        self.device, self.held, self._limit, self.gave_up = torch.device("cpu"), {}, 0, True
