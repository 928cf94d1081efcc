"""The items of an epoch, as a sampler hands them to a loader."""

from __future__ import annotations

import math
from collections.abc import Iterator

from torch.utils.data.distributed import DistributedSampler

from clara_compat.engine.data.epoch_plan import EpochPlan
from clara_compat.engine.item_context import ItemKey

__all__ = ["EpochSampler"]


class EpochSampler(DistributedSampler):
    """Yields an :class:`ItemKey` (seed, epoch, position, index) for every item of the epoch.

    Everything random about an item follows from its key (rule 4 of the house), so no generator state has to travel to
    workers or into checkpoints. Being a ``DistributedSampler``, it is told the epoch by MONAI's engines. Process ``r``
    of ``W`` takes positions ``r, r + W, ...`` of the epoch: together the batches of the processes are those of one
    process whose batch is ``W`` times as large. Where the last of them has no item for a process, that one gets the
    first process' first item once more, so that all have as many batches; :meth:`share` says that it does not count.

    Args:
        plan: which items an epoch has.
        num_replicas: number of processes.
        rank: this process.
        batch_size: items of a batch of one process.
    """

    def __init__(self, plan: EpochPlan, *, num_replicas: int = 1, rank: int = 0, batch_size: int = 1) -> None:
        super().__init__(plan, num_replicas=num_replicas, rank=rank, shuffle=plan.shuffle, seed=plan.seed)  # type: ignore[arg-type]
        self.plan = plan
        self.batch_size = batch_size
        self._begun: dict[int, int] = {}

    def begin_at(self, epoch: int, position: int) -> None:
        """Leave out the items at the beginning of an epoch, which an interrupted training has used.

        Args:
            epoch: from 1; others begin with their first item.
            position: how many of this process' items are left out.
        """
        self._begun = {epoch: position}

    def first_batch(self, epoch: int) -> int:
        """Return the number of the batch that an epoch begins with, from 0.

        Args:
            epoch: from 1.
        """
        return self._begun.get(epoch, 0) // self.batch_size

    def keys(self, epoch: int) -> list[ItemKey]:
        """Return this process' items of an epoch, in order.

        Args:
            epoch: from 1.
        """
        return self._keys(epoch, self._positions())

    def together(self, epoch: int, batch: int) -> list[ItemKey]:
        """Return the items of a batch of all processes.

        Args:
            epoch: from 1.
            batch: its number in the epoch, from 0.
        """
        size = self.num_replicas * self.batch_size
        return self._keys(epoch, range(batch * size, min((batch + 1) * size, len(self.plan))))

    def share(self, batch: int) -> int:
        """Return how many items of a batch are this process' own; 0 where it has one only to have a batch.

        Args:
            batch: its number in the epoch, from 0.
        """
        own = len(range(self.rank, len(self.plan), self.num_replicas))
        return max(0, min(self.batch_size, own - batch * self.batch_size))

    def _positions(self) -> list[int]:
        positions = list(range(self.rank, len(self.plan), self.num_replicas))
        last = max(0, math.ceil(len(self.plan) / (self.num_replicas * self.batch_size)) - 1)
        if len(positions) <= last * self.batch_size and len(self.plan):
            positions.append(last * self.batch_size * self.num_replicas)
        return positions

    def _keys(self, epoch: int, positions: range | list[int]) -> list[ItemKey]:
        order = self.plan.order(epoch)
        return [ItemKey(self.plan.seed, epoch, position, order[position]) for position in positions]

    def __iter__(self) -> Iterator[ItemKey]:
        return iter(self.keys(self.epoch)[self._begun.get(self.epoch, 0) :])

    def __len__(self) -> int:
        return len(self._positions())
