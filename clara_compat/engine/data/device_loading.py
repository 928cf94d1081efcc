"""How items go from workers to the device, and batches from a thread to the training loop."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from monai.data import ThreadBuffer
from torch.utils.data import Dataset

from clara_compat.engine.data.dataset import SeededDataset
from clara_compat.engine.data.skipping import STOP
from clara_compat.engine.item_context import ItemKey

__all__ = ["Begun", "in_thread"]

_AHEAD = 2
"""Batches that a thread makes while the network computes; each lies in the device's memory."""


class Begun(Dataset):
    """Gives what the device's transforms go on with: pairs of a key and the item begun, for workers.

    Args:
        whole: the dataset whose items are ended in the main process.
    """

    device_part = None
    is_ready = False
    on_bad_item = STOP  # failures are values here; the whole dataset skips

    def __init__(self, whole: SeededDataset) -> None:
        self.whole = whole
        self.data = whole.data
        self.section = whole.section
        self.single_thread = whole.single_thread

    def __len__(self) -> int:
        return len(self.whole)

    def prepare(self, epoch: int) -> None:
        """Do nothing: the whole dataset has been prepared.

        Args:
            epoch: from 1.
        """

    def __getitem__(self, key: ItemKey) -> Any:
        """Return the item begun, or its failure."""
        return self.whole.begin(key)

    def __getitems__(self, keys: Sequence[ItemKey]) -> list[tuple[ItemKey, Any]]:
        """Return pairs for the keys of a batch."""
        return [(key, self[key]) for key in keys]


class _Raised:
    """An error of the thread.

    Args:
        error: what was raised.
    """

    def __init__(self, error: BaseException) -> None:
        self.error = error


def in_thread(batches: Iterator[Any]) -> Iterator[Any]:
    """Make batches in one thread, some ahead; an error is raised where they are asked for.

    MONAI's ``ThreadBuffer`` and ``ThreadDataLoader`` end without a word at an error. Kernels go into the same stream as
    the network's, so that nothing has to wait for anything.

    Args:
        batches: ended early, it is closed.
    """
    for batch in ThreadBuffer(_guarded(batches), _AHEAD):
        if isinstance(batch, _Raised):
            raise batch.error
        yield batch


def _guarded(batches: Iterator[Any]) -> Iterator[Any]:
    try:
        yield from batches
    except BaseException as error:  # noqa: BLE001 -- raised again in the other thread
        yield _Raised(error)
