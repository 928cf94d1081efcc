"""Keep the memory of one step for the next."""

from __future__ import annotations

import ctypes
import gc
import os
import platform
from functools import cache
from typing import Any

__all__ = ["give_back_memory", "keep_freed_memory"]

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD, _MMAP_MAX = -1, -2, -3, -4
"""Parameters of ``mallopt`` (glibc's ``malloc.h``)."""
_MAPPED = 1 << 30
"""Bytes from which a block is a mapping of its own, which goes back to the system as soon as it is freed: large scans
and their predictions leave no holes."""
_PAD = 64 << 20
"""Bytes by which the heap grows at a time beyond what is asked for."""
_USERS = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_TOP_PAD_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_MMAP_MAX_")


@cache
def keep_freed_memory() -> bool:
    """Let glibc keep freed memory for the next step rather than give it back to the system; say whether it does.

    By default every tensor of more than 32 MB is a mapping of its own: it is given back when it is freed, and the next
    one is filled with zeros by the system, page by page, before anything is computed. On a CPU that is up to half of
    the time of a step. No number changes. The process holds what its largest step needed until it ends.

    Nothing is done where the C library is another one, or where the user has set glibc's own variables
    (``MALLOC_MMAP_THRESHOLD_`` and the like, or ``GLIBC_TUNABLES`` with ``glibc.malloc``).
    """
    if any(name in os.environ for name in _USERS) or "glibc.malloc" in os.environ.get("GLIBC_TUNABLES", ""):
        return False
    mallopt = _glibc("mallopt")
    if mallopt is None:
        return False
    # older ones take no more than 32 MB for a threshold: there nothing is a mapping of its own
    mapped = bool(mallopt(_MMAP_THRESHOLD, _MAPPED)) or bool(mallopt(_MMAP_MAX, 0))
    return mapped and bool(mallopt(_TRIM_THRESHOLD, -1)) and bool(mallopt(_TOP_PAD, _PAD))


def give_back_memory() -> None:
    """Give the system the memory of earlier runs in this process, whose scans and networks nobody holds any more.

    Engines, their handlers and loaders refer to each other: without a collection they would stay for as long as Python
    sees no reason for one, which counts objects and not what they hold.
    """
    for _ in range(2):  # what torch holds by objects of its own is only seen when these are gone
        gc.collect()
    if malloc_trim := _glibc("malloc_trim"):
        malloc_trim(0)


def _glibc(name: str) -> Any:
    """Return a function of glibc, or None where the C library is another one."""
    if platform.libc_ver()[0] != "glibc":
        return None
    return getattr(ctypes.CDLL(None), name, None)
