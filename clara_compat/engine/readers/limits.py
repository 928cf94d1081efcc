"""How much a file may ask for: files come from strangers, and a few bytes can announce, or unpack to, terabytes."""

from __future__ import annotations

import gzip
import io
import math
import zlib

from clara_compat.engine.data.budget import reachable_memory
from clara_compat.errors import ClaraError

__all__ = ["GZIP", "HEADER", "MORE", "announced_bytes", "check_memory", "unpacked"]

GZIP = 31
"""What zlib calls a stream with the header and the checksum of gzip (``wbits``)."""
HEADER = 540
"""Bytes of the longest NIfTI header."""
MORE = 1 << 24
"""Bytes that a file may have behind what its header announces."""
_SMALL = 1 << 26
"""Bytes for which nobody is asked."""
_SHORTER_HEADER = 348


def check_memory(path: str, size: int) -> None:
    """Refuse to read a file that does not fit into the memory of this machine, before any of it is taken.

    Args:
        path: the file.
        size: bytes that reading it takes, as its header says.

    Raises:
        ClaraError: there is not as much.
    """
    if size > _SMALL and size > (there := reachable_memory()):
        raise ClaraError(
            f"'{path}' takes {size / 1e9:,.1f} GB of memory by what its header says, but there are {there / 1e9:,.1f} "
            "GB: mend the file, or take it out of the data list"
        )


def announced_bytes(start: bytes) -> int | None:
    """Return how long a NIfTI file is by its header, unpacked; None where the beginning is no such header.

    Args:
        start: the first :data:`HEADER` bytes of the file.
    """
    from nibabel.nifti1 import Nifti1Header
    from nibabel.nifti2 import Nifti2Header
    from nibabel.spatialimages import HeaderDataError
    from nibabel.wrapstruct import WrapStructError

    sizes = {int.from_bytes(start[:4], "little"), int.from_bytes(start[:4], "big")}
    if not sizes & {_SHORTER_HEADER, HEADER}:
        return None
    kind = Nifti1Header if _SHORTER_HEADER in sizes else Nifti2Header
    try:
        header = kind.from_fileobj(io.BytesIO(start), check=False)
        shape, voxel, offset = header.get_data_shape(), header.get_data_dtype().itemsize, header.get_data_offset()
    except (HeaderDataError, WrapStructError, ValueError, OverflowError):
        return None
    return max(int(offset), 0) + max(math.prod(int(n) for n in shape), 0) * int(voxel)


def unpacked(packed: bytes, announced: int) -> bytes:
    """Return the content of a gzip file, its checksum compared.

    Args:
        packed: the file.
        announced: bytes that the content should have; it may have :data:`MORE` above that.

    Raises:
        EOFError: the file is cut off.
        gzip.BadGzipFile: a checksum is wrong.
        zlib.error: it is damaged otherwise.
        ValueError: it unpacks to more.
    """
    most = announced + MORE
    parts: list[bytes] = []
    while packed:
        unpacker = zlib.decompressobj(GZIP)
        try:
            parts.append(unpacker.decompress(packed, most + 1))
        except zlib.error as error:
            if str(error).endswith(("data check", "length check")):
                raise gzip.BadGzipFile(f"CRC check failed: {error}") from error
            raise
        most -= len(parts[-1])
        if most < 0:
            raise ValueError(f"it unpacks to far more than the {announced} bytes that its header announces")
        if not unpacker.eof:
            raise EOFError("it ends before its compressed data do")
        packed = unpacker.unused_data.lstrip(b"\0")  # more of the same, or padding
    return parts[0] if len(parts) == 1 else b"".join(parts)
