"""A file that the disk has no room for: what is said of it."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

__all__ = ["is_full", "unwritten"]

_REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "files must not become this large here (ulimit -f, or the file system)",
}


def is_full(error: BaseException) -> bool:
    """Whether an error says that a file could not be written because there is no room for it.

    Args:
        error: what was raised.
    """
    return isinstance(error, OSError) and error.errno in _REASONS


def unwritten(error: OSError, file: str | Path = "") -> str:
    """Say why a file cannot be written, and how much room its folder has.

    Args:
        error: what was raised; it may name the file.
        file: the file, for an error that does not.

    Returns:
        ``"the disk is full: models/model.pt cannot be written, its folder has 0.4 MB free"``.
    """
    path = Path(file or error.filename or ".")
    text = f"{_REASONS.get(error.errno or 0, error.strerror or str(error))}: {path} cannot be written"
    free = _free(path.parent) if is_full(error) else None
    return text if free is None else f"{text}, {path.parent} has {free / 1e6:.1f} MB free"


def _free(folder: Path) -> int | None:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None
