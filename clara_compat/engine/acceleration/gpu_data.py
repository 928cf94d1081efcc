"""Whether the random end of the training's chain runs on the GPU."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ignite.distributed as idist
import torch
from ignite.engine import Engine

from clara_compat.common.levers import GPU_DATA
from clara_compat.engine.acceleration.clock import now
from clara_compat.engine.acceleration.same_items import difference
from clara_compat.engine.data.dataset import SeededDataset
from clara_compat.engine.data.device_part import DevicePart, device_start, needing_the_cpu
from clara_compat.engine.data.failure import ItemFailure

__all__ = ["GpuData"]

_GAIN = 0.95
"""A step with its data must take less than this share of what it takes otherwise."""
_STEPS = 4
"""The fewest steps of an epoch whose time says anything."""
_CHECKED = 4
"""Items that are made on both before the GPU is used."""


class GpuData:
    """Puts the end of the chain on the GPU where it may run there and where that is faster.

    With ``auto`` one whole epoch is timed as it is and the next one with the transforms on the GPU; nothing is made
    twice, as both are epochs of the training. The slower way is left. Named, it is used from the first epoch on. Either
    way the first items are made on both and compared before: random draws are the same, sums and interpolation differ
    in the last bits of float32. Of several processes each chooses for itself. Cached items are held on the GPU from the
    second epoch on, when the network has taken the memory that it needs.

    This has been run with a CPU in the place of a GPU only: what a GPU computes is compared at every start, and where
    it fails the transforms go back to the CPU.

    Args:
        asked: it was named (True), or is not wanted (False); None to choose.
    """

    def __init__(self, asked: bool | None) -> None:
        self.asked = asked
        self.chosen: dict[str, Any] | None = {"on": False} if asked is False else None
        """Whether it is on, and why, as plain data; None as long as it is not known."""
        self._part: DevicePart | None = None
        self._seconds: list[float] = []  # per step: as it was, and on the GPU
        self._times = False
        self._steps = 0
        self._began = 0.0

    @property
    def levers(self) -> list[str]:
        """The lever's name, where it is on."""
        return [GPU_DATA] if self.chosen and self.chosen["on"] else []

    @property
    def told(self) -> str:
        """In words what was chosen; empty where nobody asks."""
        chosen = self.chosen or {}
        if "seconds" in chosen:
            before, after = chosen["seconds"]
            return (
                f"{GPU_DATA}: {before / after:.1f} x faster ({before:.2g} s -> {after:.2g} s for a step and its data)"
            )
        if "reason" in chosen:
            return f"{GPU_DATA} off: {chosen['reason']}"
        return f"{GPU_DATA}: on" if self.levers else ""

    def load_state_dict(self, state: Mapping[str, Any] | None) -> None:
        """Take over what an earlier part of the training chose; a lever named in the config wins over it.

        Args:
            state: of the checkpoint; None where nothing was chosen.
        """
        if self.asked is None:
            self.chosen = None if state is None else dict(state)

    def begin_epoch(self, engine: Engine, *, settled: bool) -> bool:
        """Choose, or go a step towards it; say whether it is now known what was not.

        Args:
            engine: the trainer, before its loader begins the epoch.
            settled: nothing else will change the time of a step.
        """
        before = self.chosen
        self._times = False
        if self._part is not None and self._part.gave_up:
            self._take_off(engine, "a transform failed on the GPU")
        elif self._part is not None:
            self._part.may_hold = True
            self._times = self.chosen is None
        elif self.chosen is None or self.chosen["on"]:
            self._begin(engine, settled=settled)
        return self.chosen is not before

    def _begin(self, engine: Engine, *, settled: bool) -> None:
        choosing = self.chosen is None and self.asked is None
        reason = self._objection(engine) or (_too_short(engine, len(self._seconds)) if choosing else "")
        if reason:
            quiet = choosing and not _is_gpu(engine)
            self.chosen = {"on": False} if quiet else {"on": False, "reason": reason}
        elif choosing and not settled:
            return
        elif choosing and not self._seconds:
            self._times = True
        else:
            self._put_on(engine)
            if self._part is None:
                return
            if choosing:
                self._times = self._part.may_hold = True
            elif self.chosen is None:
                self.chosen = {"on": True}

    def end_step(self, engine: Engine) -> bool:
        """Note the time; say whether it is now known what was not.

        Args:
            engine: the trainer, after a step.
        """
        if not self._times:
            return False
        self._steps += 1
        if self._steps == 1:  # the first batch waits for workers and caches
            self._began = now(engine)
        if engine.state.iteration % (engine.state.epoch_length or 1):
            return False
        seconds, steps = now(engine) - self._began, self._steps - 1
        self._times, self._steps = False, 0
        if steps + 1 >= _STEPS:
            self._seconds.append(seconds / steps)
        if len(self._seconds) < 2:  # without and with
            return False
        before, after = self._seconds
        if after < _GAIN * before:
            self.chosen = {"on": True, "seconds": [round(one, 6) for one in self._seconds]}
        else:
            self._take_off(engine, f"{after:.2g} s for a step and its data, {before:.2g} s without it")
        return True

    def _put_on(self, engine: Engine) -> None:
        loader: Any = engine.data_loader
        dataset: SeededDataset = loader.dataset
        dataset.prepare(engine.state.epoch)
        device = torch.device(engine.state.device)
        self._part = DevicePart(device, device_start(dataset.transform, _cached(dataset)))  # type: ignore[arg-type]
        keys = loader.sampler.keys(engine.state.epoch)[:_CHECKED]
        exact = [dataset[key] for key in keys]
        loader.run_on(self._part)
        ours = [dataset[key] for key in keys]
        pairs = [pair for pair in zip(exact, ours, strict=True) if not isinstance(pair[0], ItemFailure)]
        why = next(filter(None, (difference(one, other) for one, other in pairs)), "")
        if self._part.gave_up:
            why = f"a transform failed on {device}"
        if why or not pairs:
            self._take_off(engine, why or "no item could be made to compare it")

    def _take_off(self, engine: Engine, reason: str) -> None:
        engine.data_loader.run_on(None)
        self._part = None
        self.chosen = {"on": False, "reason": reason}

    def _objection(self, engine: Engine) -> str:
        """Return why it cannot be had; empty when it can."""
        device = torch.device(engine.state.device)
        if not _is_gpu(engine):
            return f"it needs a GPU, and the network computes on {device}"
        if device.type == "cuda" and idist.get_nproc_per_node() > torch.cuda.device_count():
            return "several processes share a GPU"
        loader: Any = engine.data_loader
        dataset = getattr(loader, "dataset", None)
        if not isinstance(dataset, SeededDataset) or not hasattr(loader, "run_on"):
            return "the data come from a loader of another kind"
        if dataset.single_thread:
            return "determinism is set"
        batch = [] if dataset.batch_transform is None else dataset.batch_transform.transforms
        if found := needing_the_cpu(batch):
            return f"{_name(batch[found[0]])}, which is for batches, runs on the CPU"
        chain: Any = dataset.transform
        start = device_start(chain, _cached(dataset))
        if start >= len(chain.transforms) - 1:  # the very last one only gathers the fields
            return "all of the transforms are cached" if _cached(dataset) >= start else _last_on_the_cpu(chain)
        return ""


def _last_on_the_cpu(chain: Any) -> str:
    last = needing_the_cpu(chain.transforms)[-1]
    return f"{_name(chain.transforms[last])} runs on the CPU, and no transform follows"


def _name(transform: Any) -> str:
    return str(getattr(transform, "name", type(transform).__name__))


def _cached(dataset: SeededDataset) -> int:
    return 0 if dataset.cache is None else dataset.cache.length


def _is_gpu(engine: Engine) -> bool:
    return torch.device(engine.state.device).type == "cuda"


def _too_short(engine: Engine, timed: int) -> str:
    length, epochs = engine.state.epoch_length or 0, engine.state.max_epochs or 0
    needed = 3 - timed  # an epoch without, one with, and one that gains by it
    if length < _STEPS or epochs - engine.state.epoch + 1 < needed:
        return "what is left of the run is too short to try it"
    return ""
