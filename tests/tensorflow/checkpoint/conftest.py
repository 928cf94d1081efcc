"""The checkpoints that real TensorFlow wrote, and a writer of tables that it would not write."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from clara_compat.tensorflow.checkpoint.crc import crc32c, masked

FOLDER = Path(__file__).parents[2] / "references" / "tensorflow_checkpoints"


@pytest.fixture(scope="session")
def checkpoints() -> Path:
    return FOLDER


@pytest.fixture(scope="session")
def expected() -> Mapping[str, np.ndarray]:
    """``NAME/VARIABLE`` of every checkpoint, as TensorFlow said it."""
    with np.load(FOLDER / "expected.npz") as arrays:
        return {name: arrays[name] for name in arrays.files}


def varint(value: int) -> bytes:
    out = b""
    while value >= 128:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def write_table(entries: list[tuple[bytes, bytes]], per_block: int = 3, kind: int = 0) -> bytes:
    """Write a table with good checksums, its keys in the order given."""

    def block(items: list[tuple[bytes, bytes]]) -> bytes:
        out, last = b"", b""
        for key, value in items:
            both = min(len(key), len(last))
            same = np.frombuffer(key[:both], np.uint8) == np.frombuffer(last[:both], np.uint8)
            shared = both if same.all() else int(same.argmin())
            out += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
            last = key
        return out + bytes(4) + (1).to_bytes(4, "little")

    file, index = b"", []
    for start in range(0, len(entries), per_block):
        items = entries[start : start + per_block]
        content = block(items)
        index.append((items[-1][0], varint(len(file)) + varint(len(content))))
        content += bytes([kind])
        file += content + masked(crc32c(content)).to_bytes(4, "little")
    places = b""
    for items in ([], index):
        content = block(items)
        places += varint(len(file)) + varint(len(content))
        content += b"\x00"
        file += content + masked(crc32c(content)).to_bytes(4, "little")
    return file + places.ljust(40, b"\x00") + (0xDB4775248B80FB57).to_bytes(8, "little")


@pytest.fixture(scope="session")
def table() -> Callable[..., bytes]:
    return write_table


def message(*fields: tuple[int, int | bytes]) -> bytes:
    out = b""
    for number, value in fields:
        if isinstance(value, bytes):
            out += varint(number << 3 | 2) + varint(len(value)) + value
        elif number == 6:
            out += varint(number << 3 | 5) + value.to_bytes(4, "little")
        else:
            out += varint(number << 3) + varint(value)
    return out


@pytest.fixture(scope="session")
def proto() -> Callable[..., bytes]:
    """Writes a protocol buffer message; field 6 is a fixed number of 32 bits, as in an entry."""
    return message
