"""What a chain's beginning makes of an item, kept on disk."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from monai.data import MetaTensor
from monai.transforms import Compose

from clara_compat.common.files import replacing
from clara_compat.common.full_disk import is_full, why
from clara_compat.engine import properties

__all__ = ["DiskCache", "item_digest"]

_logger = logging.getLogger("clara_compat")

_META = "|meta"
_AFFINE = "|affine"
_MOST_FILES = 10_000


class DiskCache:
    """Items on disk, found by their values and files.

    MONAI's ``PersistentDataset`` is not used: it writes to the system's temporary folder and moves the file, which
    between two file systems can leave half of it, and an unreadable file it does not know ends the run. Here only plain
    tensors and text are stored, so that ``torch.load`` needs no pickled objects (``weights_only``): a ``MetaTensor`` is
    its tensor, its affine and its metadata as JSON.

    Args:
        data: items of the data list.
        transform: the deterministic beginning of the chain.
        folder: of what this beginning makes (its ``ChainIdentity`` names it); made when missing.
    """

    def __init__(self, data: Sequence[Mapping[str, Any]], transform: Compose, folder: Path) -> None:
        self.data = data
        self.transform = transform
        self.folder = folder
        self._is_full = False

    def __getitem__(self, index: int) -> Any:
        """Return an item (or list of items), from disk or made and written there.

        A full disk costs time, no more: from then on what is not there is made each time.
        """
        item = self.data[index]
        file = self.folder / f"{item_digest(item)}.pt"
        if file.is_file():
            try:
                return _unpacked(torch.load(file, weights_only=True))
            except Exception as error:  # noqa: BLE001 -- a damaged file makes torch raise almost anything
                _logger.warning("the cached item %s cannot be read (%s) and is made anew", file, type(error).__name__)
        made = self.transform(dict(item))
        if self._is_full:
            return made
        try:
            packed = _packed(made)
        except TypeError as error:
            _logger.warning("an item cannot be stored in %s (%s) and is made each time", self.folder, error)
            return made
        try:
            with replacing(file) as stream:
                torch.save(packed, stream)
        except OSError as error:
            self._is_full = is_full(error)
            more = ": no further one is" if self._is_full else ""
            _logger.warning("an item cannot be cached in %s (%s)%s", self.folder, why(error), more)
        return _unpacked(packed)


def item_digest(item: Mapping[str, Any]) -> str:
    """Return a digest of an item: of its values, and of name, size and time of every file they name, or below it.

    Args:
        item: an entry of a data list.
    """
    digest = hashlib.blake2b(digest_size=16)
    for field in sorted(item):
        digest.update(json.dumps([field, item[field]], default=str, sort_keys=True).encode())
        for value in item[field] if isinstance(item[field], (list, tuple)) else [item[field]]:
            if isinstance(value, str) and os.path.exists(value):
                for file in _files(value):
                    with suppress(OSError):  # a dangling link
                        state = file.stat()
                        digest.update(f"{file}|{state.st_size}|{state.st_mtime_ns}|".encode())
    return digest.hexdigest()


def _files(path: str) -> list[Path]:
    """Return the files below a folder, or the file itself; of a folder with very many, which is no scan, some of them.

    A text of an item that happens to name a folder (``/``) must not have the whole disk read.
    """
    if not Path(path).is_dir():
        return [Path(path)]
    below = (Path(folder, name) for folder, _, names in os.walk(path) for name in names)
    return sorted(islice(below, _MOST_FILES))


def _packed(item: Any) -> Any:
    if isinstance(item, list):
        return [_packed(one) for one in item]
    packed: dict[str, Any] = {}
    for field, value in item.items():
        if isinstance(value, MetaTensor):
            meta = {name: one for name, one in value.meta.items() if name != "affine"}
            packed |= {
                field: value.as_tensor(),
                field + _AFFINE: value.affine,
                field + _META: properties.to_json(meta),
            }
        else:
            packed[field] = value if isinstance(value, torch.Tensor) else {"value": properties.to_json(value)}
    return packed


def _unpacked(packed: Any) -> Any:
    if isinstance(packed, list):
        return [_unpacked(one) for one in packed]
    item: dict[str, Any] = {}
    for field, value in packed.items():
        if field.endswith((_META, _AFFINE)):
            continue
        if isinstance(value, Mapping):
            item[field] = properties.from_json(value["value"])
        elif field + _META in packed:
            meta = properties.from_json(packed[field + _META])
            item[field] = MetaTensor(value, meta={**meta, "affine": packed[field + _AFFINE]})
        else:
            item[field] = value
    return item
