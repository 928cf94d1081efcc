"""The encodings inside a checkpoint: numbers of variable length, protocol buffer messages, ordered keys.

Sources: the Protocol Buffers encoding documentation; TensorFlow's description of its tensor bundle format.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

__all__ = ["Malformed", "fields", "number", "part", "signed", "slice_key", "varint"]


class Malformed(ValueError):
    """Bytes that are not what they should be; the text says what is wrong with them."""


def varint(data: bytes, start: int) -> tuple[int, int]:
    """Read a number of variable length and return it with the place behind it.

    Raises:
        Malformed: it does not end, or has more than 64 bits.
    """
    value = 0
    for place in range(start, min(start + 10, len(data))):
        byte = data[place]
        value |= (byte & 0x7F) << (7 * (place - start))
        if byte < 0x80:
            if value >> 64:
                break
            return value, place + 1
    raise Malformed("a number does not end")


def fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield number and value of each field of a protocol buffer message, whose messages inside stay bytes.

    Raises:
        Malformed: it is no such message.
    """
    place = 0
    while place < len(message):
        tag, place = varint(message, place)
        kind, field = tag & 7, tag >> 3
        if kind == 0:
            value, place = varint(message, place)
            yield field, value
            continue
        if kind == 2:
            size, place = varint(message, place)
        elif kind in {1, 5}:
            size = 8 if kind == 1 else 4
        else:
            raise Malformed(f"a field has the unknown kind {kind}")
        if size > len(message) - place:
            raise Malformed("a field is cut off")
        content = message[place : place + size]
        place += size
        yield field, content if kind == 2 else int.from_bytes(content, "little")


def number(value: int | bytes) -> int:
    """Return a field's value that must be a number.

    Raises:
        Malformed: it is none.
    """
    if not isinstance(value, int):
        raise Malformed("a field holds no number")
    return value


def signed(value: int | bytes) -> int:
    """Return a field's value that must be a signed number of 64 bits.

    Raises:
        Malformed: it is none.
    """
    found = number(value)
    return found - (1 << 64) if found >> 63 else found


def part(value: int | bytes) -> bytes:
    """Return a field's value that must be a message or a text.

    Raises:
        Malformed: it is none.
    """
    if not isinstance(value, bytes):
        raise Malformed("a field holds a number in place of a message")
    return value


def slice_key(name: str, extents: Sequence[tuple[int, int]]) -> bytes:
    """Return the key under which a checkpoint keeps a slice of a partitioned variable.

    Its parts are encoded so that keys sort like what they say: 0, the name, how many axes, and each axis's extent.

    Args:
        name: of the variable.
        extents: start and length on each axis; length -1 for the whole axis.
    """
    text = name.encode().replace(b"\x00", b"\x00\xff")  # a byte 0xff, which would be escaped too, is in no UTF-8
    axes = b"\x01" + bytes([len(extents)]) if extents else b"\x00"
    return b"\x00" + text + b"\x00\x01" + axes + b"".join(_ordered(value) for extent in extents for value in extent)


def _ordered(value: int) -> bytes:
    """Encode a signed number in as few bytes as hold it, so that the bytes sort as the numbers do.

    The sign and as many bits as there are further bytes are turned over.
    """
    size = (~value if value < 0 else value).bit_length() // 7 + 1
    turned = ((1 << size) - 1) << (7 * size)
    return ((value ^ turned) & ((1 << (8 * size)) - 1)).to_bytes(size, "big")
