"""What the index of a checkpoint says: how many files of data there are, and where in them each variable is.

Source: TensorFlow's published message definitions ``BundleHeaderProto``, ``BundleEntryProto``, ``TensorShapeProto`` and
``TensorSliceProto``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from clara_compat.tensorflow.checkpoint.wire import Malformed, fields, number, part, signed, slice_key

__all__ = ["Entry", "Index", "index_of"]

_DTYPES = {
    1: "float32",
    2: "float64",
    3: "int32",
    4: "uint8",
    5: "int16",
    6: "int8",
    7: "string",
    8: "complex64",
    9: "int64",
    10: "bool",
    14: "bfloat16",
    17: "uint16",
    18: "complex128",
    19: "float16",
    20: "resource",
    21: "variant",
    22: "uint32",
    23: "uint64",
}
"""TensorFlow's numbers of types."""

_MOST_AXES = 32
_MOST_ELEMENTS = 1 << 48
"""Far above any variable, far below what numpy can count: beyond it a shape is nonsense."""

Extent = tuple[int, int]
"""Start and length on an axis; length -1 for the whole of it."""


@dataclass(frozen=True)
class Entry:
    """A variable, or a slice of one.

    Args:
        dtype: TensorFlow's name of its type.
        shape: length of each axis, in TensorFlow's order.
        shard: number of the file of data.
        offset: in that file, in bytes.
        size: in bytes.
        crc: the stored checksum of those bytes.
        slices: the extents of each slice of a partitioned variable; its data are theirs.
    """

    dtype: str = "float32"
    shape: tuple[int, ...] = ()
    shard: int = 0
    offset: int = 0
    size: int = 0
    crc: int = 0
    slices: tuple[tuple[Extent, ...], ...] = ()

    @property
    def elements(self) -> int:
        """How many numbers it has."""
        return math.prod(self.shape)

    @property
    def storage(self) -> np.dtype | None:
        """The type of its bytes; None for what is no array of numbers."""
        if self.dtype == "bfloat16":
            return np.dtype(np.uint16)
        return np.dtype(self.dtype) if self.dtype in _NUMBERS else None


_NUMBERS = frozenset(_DTYPES.values()) - {"string", "resource", "variant"}


@dataclass(frozen=True)
class Index:
    """A checkpoint's index.

    Args:
        shards: how many files of data there are.
        big_endian: the byte order of the data.
        entries: of each variable, by its name.
        slices: of each slice of a partitioned variable, by the variable's name and the slice's extents.
    """

    shards: int
    big_endian: bool = False
    entries: dict[str, Entry] = field(default_factory=dict)
    slices: dict[tuple[str, tuple[Extent, ...]], Entry] = field(default_factory=dict)


def index_of(items: Iterable[tuple[bytes, bytes]]) -> Index:
    """Return what the keys and values of a table say.

    Raises:
        Malformed: they are not those of a checkpoint.
    """
    content = dict(items)
    header = content.pop(b"", None)
    if header is None:
        raise Malformed("it has no header")
    index = _header(header)
    parts = {key: value for key, value in content.items() if key.startswith(b"\x00")}
    for key, value in content.items():
        if key in parts:
            continue
        try:
            name = key.decode()
        except UnicodeDecodeError:
            raise Malformed("a variable's name is no text") from None
        entry = _entry(value, index)
        index.entries[name] = entry
        for extents in entry.slices:
            index.slices[name, extents] = _slice(name, entry, extents, parts, index)
    return index


def _header(message: bytes) -> Index:
    found = {field: value for field, value in fields(message) if field in {1, 2}}
    shards, order = number(found.get(1, 0)), number(found.get(2, 0))
    if not 0 < shards < 1 << 31 or order > 1:
        raise Malformed(f"its header says {shards} files of data and byte order {order}")
    return Index(shards, big_endian=order == 1)


def _entry(message: bytes, index: Index) -> Entry:
    found: dict[int, int | bytes] = {}
    slices = []
    for field_number, value in fields(message):
        if field_number == 7:
            slices.append(tuple(_extents(part(value))))
        else:
            found[field_number] = value
    kind = number(found.get(1, 0))
    entry = Entry(
        _DTYPES.get(kind, f"type {kind}"),
        _shape(part(found.get(2, b""))),
        signed(found.get(3, 0)),
        signed(found.get(4, 0)),
        signed(found.get(5, 0)),
        number(found.get(6, 0)),
        tuple(slices),
    )
    if not 0 <= entry.shard < index.shards or entry.offset < 0 or entry.size < 0:
        raise Malformed(f"a variable lies in file {entry.shard} of {index.shards} at byte {entry.offset}")
    storage = entry.storage
    if storage is not None and not slices and entry.size != entry.elements * storage.itemsize:
        raise Malformed(f"a variable of {entry.dtype} and shape {entry.shape} has {entry.size} bytes")
    return entry


def _shape(message: bytes) -> tuple[int, ...]:
    axes = []
    for field_number, value in fields(message):
        if field_number == 3 and value:
            raise Malformed("a variable has an unknown shape")
        if field_number == 2:
            sizes = [signed(size) for inner, size in fields(part(value)) if inner == 1]
            axes.append(sizes[-1] if sizes else 0)
    if len(axes) > _MOST_AXES or any(n < 0 for n in axes) or math.prod(max(n, 1) for n in axes) > _MOST_ELEMENTS:
        raise Malformed(f"a variable has the shape {tuple(axes[:_MOST_AXES])}")
    return tuple(axes)


def _extents(message: bytes) -> list[Extent]:
    found = []
    for field_number, value in fields(message):
        if field_number == 1:
            inner = {name: signed(content) for name, content in fields(part(value)) if name in {1, 2}}
            found.append((inner.get(1, 0), inner.get(2, -1)))
    return found


def _slice(name: str, whole: Entry, extents: tuple[Extent, ...], parts: Mapping[bytes, bytes], index: Index) -> Entry:
    """Return the entry of a slice, which must be one of that variable."""
    if len(extents) != len(whole.shape) or any(
        start < 0 or length < -1 or start + length > axis or (length == -1 and start)
        for (start, length), axis in zip(extents, whole.shape, strict=True)
    ):
        raise Malformed(f"a slice of the variable '{name}' lies outside of it")
    message = parts.get(slice_key(name, extents))
    if message is None:
        raise Malformed(f"a slice of the variable '{name}' is missing")
    entry = _entry(message, index)
    shape = tuple(n if length == -1 else length for (_, length), n in zip(extents, whole.shape, strict=True))
    if entry.shape != shape or entry.dtype != whole.dtype or entry.slices:
        raise Malformed(f"a slice of the variable '{name}' has another shape or type than it must")
    return entry
