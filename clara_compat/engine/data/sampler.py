"""The items of an epoch, as a sampler hands them to a loader."""

from __future__ import annotations

from collections.abc import Iterator

from torch.utils.data.distributed import DistributedSampler

from clara_compat.engine.data.epoch_plan import EpochPlan
from clara_compat.engine.item_context import ItemKey

__all__ = ["EpochSampler"]


class EpochSampler(DistributedSampler):
    """Yields an :class:`ItemKey` (seed, epoch, position, index) for every item of the epoch.

    Everything random about an item follows from its key (rule 4 of the house), so no generator state has to travel to
    workers or into checkpoints. Being a ``DistributedSampler``, it is told the epoch by MONAI's engines. Process ``r``
    of ``W`` takes positions ``r, r + W, ...`` of the epoch.

    Args:
        plan: which items an epoch has.
        num_replicas: number of processes.
        rank: this process.
    """

    def __init__(self, plan: EpochPlan, *, num_replicas: int = 1, rank: int = 0) -> None:
        super().__init__(plan, num_replicas=num_replicas, rank=rank, shuffle=plan.shuffle, seed=plan.seed)  # type: ignore[arg-type]
        self.plan = plan
        self._begun: dict[int, int] = {}

    def begin_at(self, epoch: int, position: int) -> None:
        """Leave out the items at the beginning of an epoch, which an interrupted training has used.

        Args:
            epoch: from 1; others begin with their first item.
            position: how many of this process' items are left out.
        """
        self._begun = {epoch: position}

    def keys(self, epoch: int) -> list[ItemKey]:
        """Return this process' items of an epoch, in order.

        Args:
            epoch: from 1.
        """
        order = self.plan.order(epoch)
        positions = range(self.rank, len(order), self.num_replicas)
        return [ItemKey(self.plan.seed, epoch, position, order[position]) for position in positions]

    def __iter__(self) -> Iterator[ItemKey]:
        return iter(self.keys(self.epoch)[self._begun.get(self.epoch, 0) :])

    def __len__(self) -> int:
        return len(range(self.rank, len(self.plan), self.num_replicas))
