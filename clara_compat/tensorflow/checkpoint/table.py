"""The sorted table of keys and values that a checkpoint's ``.index`` is.

Source: the published description of LevelDB's table format, which TensorFlow uses with CRC-32C and a magic number of
its own: data blocks, an index block that says where they are, and a footer that says where that is.
"""

from __future__ import annotations

from collections.abc import Iterator

from clara_compat.tensorflow.checkpoint.crc import crc32c, masked
from clara_compat.tensorflow.checkpoint.wire import Malformed, varint

__all__ = ["FOOTER", "is_table", "table_items"]

FOOTER = 48
"""Bytes at the end of a table: two places of at most 20 bytes each, filled up, and the magic number."""

_MAGIC = (0xDB4775248B80FB57).to_bytes(8, "little")
_TRAILER = 5
"""Bytes behind a block: the kind of its compression, and the checksum of both."""
_MOST_SHARED = 64
"""Keys leave out what they share with the one before; a whole key stands every 16 of them, so that this is never met
by more than 16 times what is in the file."""


def is_table(end: bytes) -> bool:
    """Whether a file that ends in these bytes is a table of TensorFlow's."""
    return end.endswith(_MAGIC)


def table_items(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield each key of a table with its value, in order.

    Args:
        data: the whole file.

    Raises:
        Malformed: it is cut off, damaged, or no table. Nothing is allocated by a size that the file only claims.
    """
    if len(data) < FOOTER or not is_table(data):
        raise Malformed("it does not end as such a file does (it is cut off, or something else)")
    footer = data[-FOOTER:]
    about, place = _handle(footer, 0)  # what is said of the blocks, which is nothing here, but must be whole
    where, _ = _handle(footer, place)
    _block(data, about)
    last, held = b"", 0
    for _, value in _entries(_block(data, where)):
        block, _ = _handle(value, 0)
        for key, content in _entries(_block(data, block)):
            if key <= last and held:
                raise Malformed("its keys are not in order")
            last = key
            held += len(key) + 1
            if held > _MOST_SHARED * len(data):
                raise Malformed("its keys are longer than the file can hold")
            yield key, content


def _handle(data: bytes, start: int) -> tuple[tuple[int, int], int]:
    """Read where a block is, its offset and its size."""
    offset, place = varint(data, start)
    size, place = varint(data, place)
    return (offset, size), place


def _block(data: bytes, where: tuple[int, int]) -> bytes:
    """Return a block's content; the restart points that end it are for a search, and left out."""
    offset, size = where
    end = offset + size + _TRAILER
    if size < 4 or end > len(data) - FOOTER:
        raise Malformed("a block lies outside of the file")
    content, trailer = data[offset : offset + size + 1], data[offset + size + 1 : end]
    if masked(crc32c(content)) != int.from_bytes(trailer, "little"):
        raise Malformed("a block does not have its checksum")
    if content[-1] != 0:
        kind = "snappy" if content[-1] == 1 else f"kind {content[-1]}"
        raise Malformed(f"a block is compressed ({kind}), which TensorFlow's own checkpoints never are")
    restarts = 4 * (int.from_bytes(content[-5:-1], "little") + 1)
    if restarts > size:
        raise Malformed("a block has more restart points than bytes")
    return content[: size - restarts]


def _entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    place, key = 0, b""
    while place < len(block):
        shared, place = varint(block, place)
        own, place = varint(block, place)
        size, place = varint(block, place)
        if shared > len(key) or own + size > len(block) - place:
            raise Malformed("an entry is longer than its block")
        key = key[:shared] + block[place : place + own]
        yield key, block[place + own : place + own + size]
        place += own + size
