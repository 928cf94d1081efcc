"""Whether a file is whole.

ITK reads a NIfTI that was cut off, and a damaged compressed MetaImage, without an error.
"""

from __future__ import annotations

import gzip
import math
import os
import zlib
from pathlib import Path
from typing import BinaryIO, Protocol

from clara_compat.engine.readers.limits import HEADER, MORE, announced_bytes
from clara_compat.errors import ClaraError

__all__ = ["check_intact"]

_HEADER = "it is not of the format its name says, or its header is damaged"
_CHUNK = 1 << 20
_BYTES = {"CHAR": 1, "SHORT": 2, "INT": 4, "LONG": 4, "LONG_LONG": 8, "FLOAT": 4, "DOUBLE": 8}


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def check_intact(path: Path) -> None:
    """Check that a NIfTI or MetaImage holds all bytes that its header announces; other formats are left to ITK.

    Args:
        path: the file.

    Raises:
        ClaraError: the file is cut off or damaged.
        OSError: it cannot be opened.
    """
    name = path.name.lower()
    try:
        if name.endswith((".nii", ".nii.gz")):
            _check_nifti(path)
        elif name.endswith((".mha", ".mhd")):
            _check_meta(path)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ClaraError(f"its compressed data are damaged or cut off ({error})") from error
    except ValueError as error:
        raise ClaraError(_HEADER) from error


def _check_nifti(path: Path) -> None:
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        stream: _Readable = gzip.GzipFile(fileobj=file) if packed else file
        start = stream.read(HEADER)
        announced = announced_bytes(start)
        if announced is None:
            raise ClaraError(_HEADER)
        _compare(len(start) + _rest(stream, announced), announced)


def _check_meta(path: Path) -> None:
    with path.open("rb") as file:
        header: dict[str, str] = {}
        while "ElementDataFile" not in header and len(header) < 1000 and (line := file.readline(10_000)):
            key, _, value = line.decode("latin-1").partition("=")
            header[key.strip()] = value.strip()
        data = header.get("ElementDataFile", "")
        if data == "LOCAL":
            _check_meta_data(header, file)
        elif data and data != "LIST" and "%" not in data:
            raw = path.parent / data
            if not raw.is_file():
                raise ClaraError(f"its voxels are in {raw.name}, which is not there")
            with raw.open("rb") as stream:
                _check_meta_data(header, stream)


def _check_meta_data(header: dict[str, str], stream: BinaryIO) -> None:
    voxel = _BYTES.get(header.get("ElementType", "").removeprefix("MET_").removeprefix("U"))
    if voxel is None or header.get("HeaderSize", "0") not in {"0", "-1"} or "DimSize" not in header:
        return
    expected = math.prod(map(int, header["DimSize"].split())) * voxel * int(header.get("ElementNumberOfChannels", "1"))
    if header.get("CompressedData", "").lower() != "true":
        _compare(os.fstat(stream.fileno()).st_size - stream.tell(), expected)
        return
    unpacker, unpacked = zlib.decompressobj(wbits=47), 0  # 47: the header says whether zlib or gzip
    while not unpacker.eof and (chunk := unpacker.unconsumed_tail or stream.read(_CHUNK)):
        unpacked += len(unpacker.decompress(chunk, _CHUNK))
        _check_end(unpacked, expected)
    _compare(unpacked + len(unpacker.flush()), expected)


def _rest(stream: _Readable, expected: int) -> int:
    count = 0
    while chunk := stream.read(_CHUNK):
        count += len(chunk)
        _check_end(count, expected)
    return count


def _check_end(found: int, expected: int) -> None:
    """Stop where a few bytes unpack to far more than the header announces."""
    if found > expected + MORE:
        raise ClaraError(f"it unpacks to far more than the {expected} bytes that its header announces")


def _compare(found: int, expected: int) -> None:
    if found < expected:
        raise ClaraError(f"it is cut off: {found} of {expected} bytes are there")
