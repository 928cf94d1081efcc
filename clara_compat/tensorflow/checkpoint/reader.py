"""A checkpoint in TensorFlow's second format (V2): ``PREFIX.index`` and ``PREFIX.data-00000-of-00001``.

The files may come from strangers: nothing in them is run, every place is checked against the size of the file, every
byte that is used against its checksum. The graph (``PREFIX.meta``) is never opened.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from clara_compat.errors import ClaraError, suggestion
from clara_compat.tensorflow.checkpoint.bundle import Entry, Index, index_of
from clara_compat.tensorflow.checkpoint.crc import crc32c, masked
from clara_compat.tensorflow.checkpoint.table import FOOTER, is_table, table_items
from clara_compat.tensorflow.checkpoint.wire import Malformed

__all__ = ["TensorFlowCheckpoint", "check_format", "open_checkpoint"]

_LARGEST_INDEX = 1 << 28
"""Bytes. A variable takes about fifty, so that this is millions of them."""


class TensorFlowCheckpoint:
    """The variables of a checkpoint; their values are read when they are asked for.

    Args:
        prefix: the files' common name, such as ``models/model.ckpt``.
        index: what the index says.
    """

    def __init__(self, prefix: Path, index: Index) -> None:
        self.prefix = prefix
        self._index = index

    @property
    def variables(self) -> dict[str, Entry]:
        """Type and shape of each variable by its name, in the order of the names."""
        return self._index.entries

    def read(self, name: str) -> np.ndarray:
        """Return a variable's value, the slices of a partitioned one put together.

        Types are those of the file in this machine's byte order, except that bfloat16, which numpy does not have, comes
        as float32 of the same value.

        Raises:
            ClaraError: there is no such variable, it is no array of numbers, or its data are damaged.
        """
        entry = self.variables.get(name)
        if entry is None:
            raise ClaraError(f"'{self.prefix}' has no variable '{name}'{suggestion(name, self.variables)}")
        if entry.storage is None:
            raise ClaraError(f"the variable '{name}' of '{self.prefix}' is a {entry.dtype}, which holds no weights")
        raw = self._whole(name, entry) if entry.slices else self._data(name, entry)
        if entry.dtype == "bfloat16":
            return (raw.astype(np.uint32) << 16).view(np.float32)
        return raw

    def _data(self, name: str, entry: Entry) -> np.ndarray:
        storage = entry.storage or np.dtype(np.uint8)
        file = self._shard(entry.shard)
        try:
            raw = np.fromfile(file, np.uint8, entry.size, offset=entry.offset)
        except OSError as error:
            raise ClaraError(f"'{file}' cannot be read: {error.strerror or error}") from error
        if len(raw) != entry.size:
            raise _damaged(file, f"it is cut off in the variable '{name}'")
        if masked(crc32c(raw)) != entry.crc:
            raise _damaged(file, f"the variable '{name}' does not have its checksum")
        if storage == np.dtype(bool):
            raw = raw != 0
        stored = storage.newbyteorder(">" if self._index.big_endian else "<")
        return raw.view(stored).reshape(entry.shape).astype(storage, copy=False)

    def _whole(self, name: str, entry: Entry) -> np.ndarray:
        """Put the slices of a variable together; the file holds as many bytes as are allocated for it."""
        storage = entry.storage or np.dtype(np.uint8)
        parts = [(extents, self._index.slices[name, extents]) for extents in dict.fromkeys(entry.slices)]
        if sum(one.elements for _, one in parts) != entry.elements:
            raise _damaged(_index_file(self.prefix), f"the slices of the variable '{name}' do not make it up")
        value, filled = np.zeros(entry.shape, storage), np.zeros(entry.shape, bool)
        for extents, one in parts:
            region = tuple(slice(start, None if n == -1 else start + n) for start, n in extents)
            if filled[region].any():
                raise _damaged(_index_file(self.prefix), f"slices of the variable '{name}' overlap")
            filled[region] = True
            value[region] = self._data(name, one)
        return value

    def _shard(self, number: int) -> Path:
        return _named(self.prefix, f".data-{number:05d}-of-{self._index.shards:05d}")

    def check_sizes(self) -> None:
        """Check that every file of data is there and as large as the index says.

        Raises:
            ClaraError: one is missing or cut off, or the variables would take more bytes than it has.
        """
        needed: dict[int, int] = {}
        taken: dict[int, int] = {}
        for entry in self._stored():
            needed[entry.shard] = max(needed.get(entry.shard, 0), entry.offset + entry.size)
            taken[entry.shard] = taken.get(entry.shard, 0) + entry.size
        for number in sorted(needed):
            file = self._shard(number)
            try:
                size = file.stat().st_size
            except OSError as error:
                of = f"'{self.prefix}'"
                raise ClaraError(
                    f"'{file}' is missing, which holds data of the checkpoint {of}: copy all files {self.prefix.name}.*"
                ) from error
            if size < needed[number]:
                raise _damaged(file, f"it is cut off ({size} bytes, expected at least {needed[number]})")
            if size < taken[number]:
                raise _damaged(_index_file(self.prefix), f"it says more data than '{file.name}' has")

    def _stored(self) -> Iterator[Entry]:
        yield from (entry for entry in self.variables.values() if not entry.slices)
        yield from self._index.slices.values()


def open_checkpoint(prefix: str | os.PathLike[str]) -> TensorFlowCheckpoint:
    """Read the index of a checkpoint, and check that its data are there.

    Args:
        prefix: the files' common name, such as ``models/model.ckpt``.

    Raises:
        ClaraError: a file is missing, cut off or damaged, or the checkpoint is of TensorFlow's first format.
    """
    found = Path(prefix)
    file = _index_file(found)
    try:
        size = file.stat().st_size
        if size > _LARGEST_INDEX:
            raise _damaged(file, f"it has {size} bytes, which no index of a checkpoint has")
        data = file.read_bytes()
    except OSError as error:
        check_format(found)
        raise ClaraError(f"'{file}' cannot be read: {error.strerror or error}") from error
    try:
        index = index_of(table_items(data))
    except Malformed as error:
        raise _damaged(file, str(error)) from error
    checkpoint = TensorFlowCheckpoint(found, index)
    checkpoint.check_sizes()
    return checkpoint


def check_format(file: Path) -> None:
    """Check that a file is not a whole checkpoint in TensorFlow's first format, which is one file.

    Raises:
        ClaraError: it is.
    """
    try:
        with file.open("rb") as stream:
            stream.seek(max(file.stat().st_size - FOOTER, 0))
            first = is_table(stream.read(FOOTER))
    except OSError:
        return
    if first:
        raise ClaraError(
            f"'{file}' is a checkpoint of TensorFlow's first format (V1), which is not read: load it where TensorFlow "
            "is and save it with tf.train.Saver(write_version=tf.train.SaverDef.V2)"
        )


def _named(prefix: Path, ending: str) -> Path:
    return prefix.with_name(prefix.name + ending)


def _index_file(prefix: Path) -> Path:
    return _named(prefix, ".index")


def _damaged(file: Path, what: str) -> ClaraError:
    return ClaraError(f"'{file}' is damaged or no part of a TensorFlow checkpoint: {what}; copy it again")
