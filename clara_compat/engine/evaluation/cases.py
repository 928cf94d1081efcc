"""The cases of an evaluation, one item each."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from monai.data import DataLoader

from clara_compat.engine.data.dataset import SeededDataset
from clara_compat.engine.data.skipping import STOP, OnBadItem
from clara_compat.engine.distributed.gather import rank, size
from clara_compat.engine.item_context import ItemKey
from clara_compat.errors import ClaraError

__all__ = ["FILE", "REUSED", "CaseDataset", "ResultWriter", "case_loader", "image_files", "image_items"]

FILE: Final = "_file"
"""Field with the path (or the paths) of the image as the data list gives it; user code does not see it."""

REUSED: Final = "_reused"
"""Field that says that the results of an earlier run take the place of a prediction."""


class ResultWriter(Protocol):
    """Writes fields of a case, and knows what an earlier run wrote."""

    def __call__(self, data: dict[str, Any]) -> dict[str, Any]:
        """Write the item's fields and return the item."""

    def is_written(self, file: Any) -> bool:
        """Whether the results of the case with this image are there.

        Args:
            file: path of the image.
        """

    def restored(self, file: Any) -> dict[str, Any]:
        """Return the fields of an earlier run, as they were written.

        Args:
            file: path of the image.
        """

    def paths(self, file: Any) -> list[str]:
        """Return the files of the case, as far as they are known.

        Args:
            file: path of the image.
        """

    def collect(self) -> None:
        """Take over what the other processes have kept; all of them call it after the last case."""

    def finalize(self) -> None:
        """Do what is done once, after the last case."""


class CaseDataset(SeededDataset):
    """Cases by their position in the data list, with the name of their image's file.

    Args:
        data: items of the data list.
        transform: the image's chain.
        writers: where results of an earlier run may be.
        reuse: take those results where all writers have them.
        always_loads: run the chain also on a case whose results are taken.
        section: name of the chain, for messages.
        on_bad_item: ``stop``, or ``leave_out`` a case that cannot be read.
    """

    def __init__(
        self,
        data: Sequence[dict[str, Any]],
        transform: Callable[[Any], Any],
        *,
        writers: Sequence[ResultWriter] = (),
        reuse: bool = False,
        always_loads: bool = True,
        section: str = "",
        on_bad_item: OnBadItem = STOP,
    ) -> None:
        super().__init__(data, transform, section=section, on_bad_item=on_bad_item)
        self.fills = False  # a batch may be empty
        self.writers = list(writers)
        self.reuse = reuse and bool(self.writers)
        self.always_loads = always_loads

    def _item(self, key: ItemKey) -> Any:
        listed = self.data[key.index]
        file = listed.get("image")
        reused = self.reuse and all(writer.is_written(file) for writer in self.writers)
        item = dict(listed) if reused and not self.always_loads else super()._item(key)
        if not isinstance(item, dict):
            return item
        return {**item, FILE: file, **({REUSED: True} if reused else {})}


def case_loader(dataset: CaseDataset, batch_size: int = 1) -> DataLoader:
    """Return the loader of an evaluation: lists of items, one after the other, in the process itself.

    A case is only read when the one before it is done: there is never more than one batch in memory. Of several
    processes each has its part of the cases, and all have as many batches, the last of which may be empty.

    Args:
        dataset: the cases.
        batch_size: cases per batch.
    """
    keys = [ItemKey(0, 1, index, index) for index in range(len(dataset))]
    if size() == 1:
        return DataLoader(dataset, batch_size=batch_size, sampler=keys, num_workers=0, collate_fn=list)
    own = keys[rank() :: size()]
    count = math.ceil(len(keys) / (batch_size * size()))
    batches = [own[i * batch_size : (i + 1) * batch_size] for i in range(count)]
    return DataLoader(dataset, batch_sampler=batches, num_workers=0, collate_fn=list)


def image_files(folder: str | os.PathLike[str]) -> list[str]:
    """Return the images in a folder, by name: its files, and its folders, which hold a DICOM series each.

    Args:
        folder: whose hidden files are left out.

    Raises:
        ClaraError: there is no such folder, or nothing is in it.
    """
    place = Path(folder)
    found = sorted(path for path in place.iterdir() if not path.name.startswith(".")) if place.is_dir() else []
    if not found:
        raise ClaraError(f"there are no images in '{folder}': put them there, or name their folder with --dataset_dir")
    return [str(path) for path in found]


def image_items(images: Sequence[str]) -> list[dict[str, Any]]:
    """Return the items of some files, as a data list would give them.

    Args:
        images: paths of images.
    """
    return [{"image": image} for image in images]
