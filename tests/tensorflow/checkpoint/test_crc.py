from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clara_compat.tensorflow.checkpoint.crc import crc32c, masked


def bit_by_bit(data: bytes) -> int:
    """The definition: division of polynomials, lowest bit first."""
    register = 0xFFFFFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = (register >> 1) ^ (0x82F63B78 if register & 1 else 0)
    return register ^ 0xFFFFFFFF


@pytest.mark.parametrize(
    ("data", "crc"),
    [
        (b"", 0),
        (b"123456789", 0xE3069283),
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(range(31, -1, -1)), 0x113FDB5C),
    ],
)
def test_the_examples_of_rfc_3720(data, crc):
    assert crc32c(data) == crc


@pytest.mark.parametrize("size", [1, 3, 4, 63, 64, 127, 128, 131, 4095, 4096, 4103, 131071, 131072, 131077, 200001])
def test_every_width_of_the_folding(size):
    data = np.random.default_rng(size).integers(0, 256, size, np.uint8)
    assert crc32c(data) == bit_by_bit(data.tobytes()) == crc32c(memoryview(data))


@given(st.binary(max_size=300))
def test_any_bytes(data):
    assert crc32c(data) == bit_by_bit(data)


def test_the_mask():
    """LevelDB's own example: a masked CRC is another number, and fits 32 bits."""
    crc = crc32c(b"foo")
    assert masked(crc) == ((crc >> 15 | crc << 17 & 0xFFFFFFFF) + 0xA282EAD8) % 2**32 != crc
