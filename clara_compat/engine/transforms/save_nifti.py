"""A tap in a transform chain: write what passes as NIfTI files."""

from __future__ import annotations

import logging
import multiprocessing
import os
import sys
import threading
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform, RandomizableTrait
from torch.utils.data import get_worker_info

from clara_compat.common.full_disk import is_full
from clara_compat.common.result_files import case_name
from clara_compat.engine.item_context import current_item
from clara_compat.engine.tensors import plain
from clara_compat.engine.writers.nifti import write_nifti
from clara_compat.errors import ClaraError

__all__ = ["SaveNiftid"]

logger = logging.getLogger("clara_compat")


class SaveNiftid(MapTransform, RandomizableTrait):
    """Write the current images of an item and pass them on unchanged.

    Nothing is drawn at random; the trait keeps MONAI's caches from running it only once.

    A field goes to ``<output_dir>/<case>_<field>_e<epoch>_i<position>.nii.gz`` with its affine (RAS mm), channels last
    and a single channel left out; ``case`` is the name of the image's file. Epoch and position come from
    :data:`~clara_compat.engine.item_context.current_item`; in epoch 0 nothing is written. Without an item a running
    number takes their place (``_n<number>``, with the worker's number in worker processes). A file appears whole or
    not at all. When the disk is full a warning says so and no further one is written: the images are for a person who
    looks for a mistake, and no training should end for them.

    Source: clara-3.1-transforms facts, section 4.10 (``SaveAsNifti``); names of the files are assumed.

    Args:
        keys: fields with channel-first tensors (C, spatial...).
        output_dir: folder, created when missing.
        interrupt: wait for Enter after each item, if this is the main process and a person sits at a terminal.
        allow_missing_keys: leave out fields an item does not have.

    Raises:
        ClaraError: the folder or a file cannot be written, for another reason than a full disk.
    """

    def __init__(
        self,
        keys: KeysCollection,
        output_dir: str | os.PathLike[str],
        interrupt: bool = False,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.output_dir = Path(output_dir)
        self.interrupt = interrupt
        self._count = 0
        self._is_full = False

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Write the item's images and return the item."""
        d = dict(data)
        key = current_item.get()
        if key is not None and key.epoch == 0:  # an item somebody looks at, outside any epoch
            return d
        item = self._item_name()
        for key in self.key_iterator(d):
            if not self._is_full:
                self._save(d[key], f"{_case(d[key])}_{key}_{item}")
        if self.interrupt and _at_terminal():
            input(f"SaveAsNifti: wrote item {item} to {self.output_dir}, press Enter to go on ")
        return d

    def _item_name(self) -> str:
        key = current_item.get()
        if key is not None:
            return f"e{key.epoch}_i{key.position}"
        self._count += 1
        worker = get_worker_info()
        return f"n{self._count}" if worker is None else f"w{worker.id}_n{self._count}"

    def _save(self, tensor: torch.Tensor, name: str) -> None:
        affine = tensor.affine.cpu().numpy() if isinstance(tensor, MetaTensor) else np.eye(4)
        array = plain(tensor).detach().cpu().numpy()
        try:
            write_nifti(self.output_dir / f"{name}.nii.gz", array, affine, _file_type(array))
        except ClaraError as error:
            if not is_full(error.__cause__):
                raise
            self._is_full = True
            logger.warning("%s; no further image is written there", error)


def _file_type(array: np.ndarray[Any, Any]) -> np.dtype[Any]:
    """Return the type of the file: the array's, but for int64, which many NIfTI readers do not know."""
    if array.dtype != np.int64:
        return array.dtype
    return np.dtype(np.int32 if abs(array).max(initial=0) < 2**31 else np.float64)


def _case(tensor: torch.Tensor) -> str:
    file = tensor.meta.get("filename_or_obj") if isinstance(tensor, MetaTensor) else None
    return case_name(file) if file else "item"


def _at_terminal() -> bool:
    return (
        multiprocessing.parent_process() is None
        and threading.current_thread() is threading.main_thread()
        and sys.stdin is not None
        and sys.stdin.isatty()
    )
