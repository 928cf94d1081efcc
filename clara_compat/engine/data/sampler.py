"""The order of an epoch, as a pure function of (seed, epoch)."""

from __future__ import annotations

from collections.abc import Iterator, Sized

import numpy as np
from torch.utils.data.distributed import DistributedSampler

from clara_compat.engine.item_context import ItemKey

__all__ = ["EpochSampler"]


class EpochSampler(DistributedSampler):
    """Yields an :class:`ItemKey` (seed, epoch, position, index) for every item of the epoch.

    Everything random about an item follows from its key (rule 4 of the house), so no generator state has to travel to
    workers or into checkpoints. Being a ``DistributedSampler``, it is told the epoch by MONAI's engines. Process ``r``
    of ``W`` takes positions ``r, r + W, ...`` of the epoch.

    Args:
        dataset: anything with a length.
        shuffle: draw a new permutation each epoch; otherwise the data list's order.
        seed: the run's data seed.
        num_replicas: number of processes.
        rank: this process.
    """

    def __init__(self, dataset: Sized, *, shuffle: bool, seed: int, num_replicas: int = 1, rank: int = 0) -> None:
        super().__init__(dataset, num_replicas=num_replicas, rank=rank, shuffle=shuffle, seed=seed)  # type: ignore[arg-type]
        self.items = len(dataset)

    def order(self, epoch: int) -> list[int]:
        """Return the data indices of an epoch in the order of their positions."""
        if not self.shuffle:
            return list(range(self.items))
        return np.random.default_rng(np.random.SeedSequence([self.seed, epoch])).permutation(self.items).tolist()

    def __iter__(self) -> Iterator[ItemKey]:
        order = self.order(self.epoch)
        for position in range(self.rank, self.items, self.num_replicas):
            yield ItemKey(self.seed, self.epoch, position, order[position])

    def __len__(self) -> int:
        return len(range(self.rank, self.items, self.num_replicas))
