"""The files in which the voxels of a header without voxels lie (``.mhd``, ``.nhdr``)."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator
from pathlib import Path

from clara_compat.common.files import endless
from clara_compat.errors import ClaraError

__all__ = ["check_named_files"]

_NAMED = re.compile(r"\s*(?:ElementDataFile\s*=|data ?file:=?)\s*(.*)", re.IGNORECASE)
_NUMBER = re.compile(r"%[-+ #\d.]*[a-z]")
_MOST = 1 << 20
"""Bytes of a header."""


def check_named_files(path: str) -> None:
    """Refuse a header that names something whose end reading may never reach, such as a pipe.

    Args:
        path: a file that ITK will read.

    Raises:
        ClaraError: it names a pipe, a device or a socket.
    """
    if not path.lower().endswith((".mhd", ".mha", ".nhdr", ".nrrd")):
        return
    folder = Path(path).parent
    for name in _names(path):
        place = str(folder / name)
        pattern = _NUMBER.sub("*", glob.escape(place))
        for file in sorted(glob.glob(pattern)) if _NUMBER.search(name) else [place]:  # noqa: PTH207 -- also absolute
            if (kind := endless(file)) is not None:
                raise ClaraError(f"'{path}' cannot be read: its voxels are in {Path(file).name}, which is {kind}")


def _names(path: str) -> Iterator[str]:
    """Yield the names in a header: of one file, of a pattern for numbers, or of a list."""
    with Path(path).open("rb") as stream:
        lines = stream.read(_MOST).decode("latin-1").splitlines()
    for number, line in enumerate(lines):
        if found := _NAMED.match(line):
            first, *rest = found[1].split() or [""]
            if first.upper() == "LIST":
                yield from filter(None, map(str.strip, lines[number + 1 :]))
                return
            if first.upper() != "LOCAL":
                yield first if rest and _NUMBER.search(first) else found[1].strip()
            return
        if not line.strip():  # the header of an NRRD ends here
            return
