"""Files of torch that end with a checksum of themselves."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, cast

import torch

__all__ = ["check_seal", "write_sealed"]

_END = b"PK\x05\x06"
"""What the last record of a zip file begins with."""
_END_SIZE = 22
"""Bytes of that record without its comment, whose length is in the last two of them."""
_MARK = b"clara_compat sha256 "
_SEAL_SIZE = len(_MARK) + 64
_BLOCK = 1 << 20


def write_sealed(content: Mapping[str, Any], stream: IO[bytes]) -> None:
    """Write what ``torch.save`` writes, and behind it the SHA-256 of it.

    A file of torch is a zip file. The checksum is its comment, which ``torch.load`` and other readers leave alone; it
    is that of everything in front of it.

    Args:
        content: what torch can save.
        stream: takes the bytes.
    """
    sealing = _Sealing(stream)
    torch.save(content, cast("IO[bytes]", sealing))
    sealing.finish()


def check_seal(path: Path) -> bool | None:
    """Return whether a file is as it was written; None for one without a checksum.

    Args:
        path: the file.

    Raises:
        OSError: it cannot be read.
    """
    size = path.stat().st_size
    if size < _SEAL_SIZE + _END_SIZE:
        return None
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        stream.seek(size - _SEAL_SIZE)
        seal = stream.read(_SEAL_SIZE)
        if not seal.startswith(_MARK):
            return None
        stream.seek(0)
        left = size - _SEAL_SIZE
        while left:
            block = stream.read(min(left, _BLOCK))
            if not block:
                return False
            digest.update(block)
            left -= len(block)
    return digest.hexdigest().encode() == seal[len(_MARK) :]


class _Sealing:
    """Passes bytes on as they come, but for the end of the zip file, which is changed when it is known to be that."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._digest = hashlib.sha256()
        self._end = b""

    def write(self, data: Any) -> int:
        """Take some bytes."""
        view = memoryview(data).cast("B")
        if len(view) >= _END_SIZE:
            self._pass(self._end)
            self._pass(view[:-_END_SIZE])
            self._end = bytes(view[-_END_SIZE:])
        else:
            joined = self._end + bytes(view)
            self._pass(joined[:-_END_SIZE])
            self._end = joined[-_END_SIZE:]
        return len(view)

    def flush(self) -> None:
        """Flush the stream."""
        self._stream.flush()

    def finish(self) -> None:
        """Write the end of the zip file with the checksum for a comment.

        Raises:
            RuntimeError: torch has not written a zip file.
        """
        if not self._end.startswith(_END) or self._end[-2:] != b"\0\0":
            raise RuntimeError("torch.save did not write a zip file: a checkpoint cannot have a checksum")
        self._pass(self._end[:-2] + struct.pack("<H", _SEAL_SIZE))
        self._stream.write(_MARK + self._digest.hexdigest().encode())

    def _pass(self, data: bytes | memoryview) -> None:
        self._digest.update(data)
        self._stream.write(data)
