"""The dataset of a legacy pipeline: one item for one key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch.utils.data import Dataset

from clara_compat.engine.data.datalist import describe
from clara_compat.engine.data.failure import ItemError, ItemFailure, failure
from clara_compat.engine.data.seeding import seeded
from clara_compat.engine.item_context import ItemKey

__all__ = ["SeededDataset"]


class SeededDataset(Dataset):
    """Runs a transform chain on the items of a data list, every random draw a function of the item's key.

    Args:
        data: items of the data list.
        transform: the chain, usually ``monai.transforms.Compose``.
        section: ``train`` or ``validate``, for messages.
        single_thread: run the chain on one torch thread also in the main process (bit-equal results for any number of
            workers).
    """

    def __init__(
        self,
        data: Sequence[dict[str, Any]],
        transform: Callable[[Any], Any],
        *,
        section: str = "",
        single_thread: bool = False,
    ) -> None:
        self.data = data
        self.transform = transform
        self.section = section
        self.single_thread = single_thread

    def __len__(self) -> int:
        return len(self.data)

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

    def _item(self, key: ItemKey) -> Any:
        data = self.data[key.index]
        try:
            with seeded(self.transform, key, single_thread=self.single_thread):
                return self.transform(dict(data))
        except (Exception, SystemExit) as error:  # noqa: BLE001 -- whatever a user's transform raises is reported
            return failure(error, self.transform, describe(data), self.section)
