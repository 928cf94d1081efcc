"""A file that cannot be written, for lack of room or for another reason: what is said of it."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from clara_compat.errors import ClaraError

__all__ = ["is_full", "unwritten", "unwritten_is_told", "why"]

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def is_full(error: BaseException | None) -> bool:
    """Whether an error says that there is no room for a file.

    Args:
        error: what was raised.
    """
    return isinstance(error, OSError) and error.errno in _FULL


def why(error: OSError) -> str:
    """Say why a file cannot be written; of one that there is no room for also how much its folder has.

    Args:
        error: what was raised, with the file's name where that is known.

    Returns:
        ``"No space left on device (models has 0.4 MB free)"``.
    """
    text = error.strerror or str(error)
    if error.errno == errno.EFBIG:
        return f"{text} (files must not become this large here: see ulimit -f, or take another file system)"
    if not is_full(error) or error.filename is None:
        return text
    folder = Path(error.filename).parent
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        return text
    return f"{text} ({folder} has {free / 1e6:.1f} MB free)"


def unwritten(error: OSError) -> str:
    """Say which file cannot be written, and why.

    Args:
        error: what was raised.
    """
    return f"{error.filename or 'a file'} cannot be written: {why(error)}"


@contextmanager
def unwritten_is_told(advice: str) -> Iterator[None]:
    """Turn the error of a file that cannot be written into one that the user can mend.

    Args:
        advice: the end of the sentence.

    Raises:
        ClaraError: in place of an ``OSError`` of the block.
    """
    try:
        yield
    except OSError as error:
        raise ClaraError(f"{unwritten(error)}; {advice}") from error
