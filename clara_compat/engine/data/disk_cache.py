"""What a chain's beginning makes of an item, kept on disk."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import torch
from monai.data import MetaTensor, PersistentDataset
from monai.transforms import Compose

from clara_compat.common.files import replacing
from clara_compat.engine import properties

__all__ = ["DiskCache", "content_hash"]

_logger = logging.getLogger("clara_compat")

_META = "|meta"
_AFFINE = "|affine"


class _Made(NamedTuple):
    """An item that cannot be stored."""

    item: Any


class DiskCache(PersistentDataset):
    """MONAI's ``PersistentDataset``, keyed by the content of an item's files and by the transforms' arguments.

    Only plain tensors and text are stored, so that ``torch.load`` needs no pickled objects (``weights_only``): a
    ``MetaTensor`` is its tensor, its affine and its metadata as JSON.

    Args:
        data: items of the data list.
        transform: the deterministic beginning of the chain.
        cache_dir: folder, made when missing.
        key: digest of the transforms and their arguments.
    """

    def __init__(self, data: Sequence[Mapping[str, Any]], transform: Compose, cache_dir: Path, key: str) -> None:
        super().__init__(data, transform, cache_dir / key, hash_func=content_hash)

    def _transform(self, index: int) -> Any:
        packed = self._cachecheck(self.data[index])
        if isinstance(packed, _Made):
            return packed.item
        return [_unpacked(one) for one in packed] if isinstance(packed, list) else _unpacked(packed)

    def _cachecheck(self, item_transformed: Mapping[str, Any]) -> Any:
        """Return the packed item (or list of items), from disk or made and written there.

        MONAI's own writes to the system's temporary folder and moves the file, which between two file systems can
        leave half of it, and an unreadable file it does not know ends the run.
        """
        file = self.cache_dir / f"{content_hash(item_transformed).decode()}.pt"  # type: ignore[operator]
        if file.is_file():
            try:
                return torch.load(file, weights_only=True)
            except Exception as error:  # noqa: BLE001 -- a damaged file makes torch raise almost anything
                _logger.warning("the cached item %s cannot be read (%s) and is made anew", file, type(error).__name__)
        made = self.transform(dict(item_transformed))
        try:
            packed = [_packed(one) for one in made] if isinstance(made, list) else _packed(made)
        except TypeError as error:
            _logger.warning("an item cannot be stored in %s (%s) and is made each time", file.parent, error)
            return _Made(made)
        try:
            with replacing(file) as stream:
                torch.save(packed, stream)
        except (OSError, RuntimeError) as error:
            _logger.warning("an item cannot be cached in %s (%s)", file.parent, error)
        return packed


def content_hash(item: Mapping[str, Any]) -> bytes:
    """Return a digest of an item: of its values and of the content of every file and folder they name."""
    digest = hashlib.blake2b(digest_size=16)
    for field in sorted(item):
        digest.update(json.dumps([field, item[field]], default=str, sort_keys=True).encode())
        for value in item[field] if isinstance(item[field], (list, tuple)) else [item[field]]:
            if isinstance(value, str) and os.path.exists(value):
                for file in _files(value):
                    state = file.stat()
                    digest.update(_file_digest(str(file), state.st_size, state.st_mtime_ns))
    return digest.hexdigest().encode()


def _files(path: str) -> list[Path]:
    place = Path(path)
    return sorted(found for found in place.rglob("*") if found.is_file()) if place.is_dir() else [place]


@cache
def _file_digest(path: str, _size: int, _modified: int) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    with open(path, "rb") as stream:  # noqa: PTH123 -- hashlib.file_digest is Python 3.11
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.digest()


def _packed(item: Mapping[str, Any]) -> dict[str, Any]:
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


def _unpacked(packed: Mapping[str, Any]) -> dict[str, Any]:
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
