"""CRC-32C (Castagnoli), the checksum of every part of a TensorFlow checkpoint (RFC 3720, appendix B.4)."""

from __future__ import annotations

from functools import cache

import numpy as np

__all__ = ["crc32c", "masked"]

_POLYNOMIAL = 0x82F63B78  # bits reversed
_ONES = 0xFFFFFFFF
_LANES = (16384, 512, 16)
"""Words that are folded at a time: long data in the first width, what is left of it in the next."""


def crc32c(data: bytes | memoryview | np.ndarray) -> int:
    """Return the CRC-32C of some bytes.

    A CRC is linear, so a block of words may be moved onto the block behind it once each word is multiplied by as many
    zeros as lie between the two. That is a sum of two table entries per word, for a whole block at a time: numpy does
    most of the work (100 MB take an eighth of a second), and a few bytes are left for the usual loop.

    Args:
        data: bytes, or an array of uint8.
    """
    raw = np.frombuffer(data, np.uint8)
    words = raw[: len(raw) // 4 * 4].view("<u4")
    register = _ONES  # goes in front of the first word, wherever that is taken up
    for width in _LANES:
        rows = len(words) // width
        if rows < 2:
            continue
        low, high = _shift(4 * width)
        state = words[:width].copy()
        state[0] ^= np.uint32(register)
        register = 0
        for start in range(width, rows * width, width):
            halves = state.view("<u2")
            state = low[halves[::2]] ^ high[halves[1::2]]
            state ^= words[start : start + width]
        words = np.concatenate([state, words[rows * width :]])
    table = _table()
    for byte in words.tobytes() + raw[len(raw) // 4 * 4 :].tobytes():
        register = table[(register ^ byte) & 0xFF] ^ (register >> 8)
    return register ^ _ONES


def masked(crc: int) -> int:
    """Return a CRC as it is stored: turned and shifted, so that the CRC of data which holds CRCs stays a good one."""
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & _ONES


@cache
def _table() -> tuple[int, ...]:
    """Return what each byte becomes while it is shifted out."""
    found = []
    for byte in range(256):
        register = byte
        for _ in range(8):
            register = (register >> 1) ^ (_POLYNOMIAL if register & 1 else 0)
        found.append(register)
    return tuple(found)


@cache
def _shift(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return what a register becomes by ``count`` (a power of two) zero bytes: by its lower half, and by its upper."""
    table = _table()
    images = []
    for bit in range(32):
        register = 1 << bit
        images.append(table[register & 0xFF] ^ (register >> 8))
    for _ in range(count.bit_length() - 1):
        images = [_applied(images, image) for image in images]
    halves = []
    for part in (images[:16], images[16:]):
        sums = np.zeros(1, np.uint32)
        for image in part:
            sums = np.concatenate([sums, sums ^ np.uint32(image)])
        halves.append(sums)
    return halves[0], halves[1]


def _applied(images: list[int], register: int) -> int:
    """Return what a linear map, given by the images of the 32 bits, makes of a register."""
    total = 0
    for bit, image in enumerate(images):
        if register >> bit & 1:
            total ^= image
    return total
