"""How much memory and disk the caches of a run may take."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from clara_compat.common.launch import processes_here

__all__ = ["CacheBudget", "default_cache_folder", "free_memory", "reachable_memory"]

_CGROUPS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)


class CacheBudget:
    """What the caches of a run share: half of the free memory, or what the user says, and half of the free disk.

    Args:
        gb: gigabytes (10^9 bytes) of memory for all caches together; 0 for none (also none on disk), None for half of
            what is free when the first cache asks.
        folder: where caches that do not fit go; by default ``clara_compat`` in the user's cache folder
            (``XDG_CACHE_HOME``, or ``~/.cache``).
        processes: how many of this run share this machine's memory; by default as many as the launcher started here.
    """

    def __init__(
        self, gb: float | None = None, folder: str | os.PathLike[str] | None = None, processes: int | None = None
    ) -> None:
        self.gb = gb
        self.processes = processes or processes_here()
        self.folder = Path(folder) if folder else default_cache_folder()
        self._left: int | None = None if gb is None else int(gb * 1e9) // self.processes
        self._disk_left: int | None = None

    @property
    def is_off(self) -> bool:
        """Whether the user wants no cache."""
        return self.gb == 0

    @property
    def left(self) -> int:
        """Bytes of memory that nobody has taken yet."""
        if self._left is None:
            self._left = free_memory() // 2 // self.processes
        return self._left

    def reserve(self, size: int) -> bool:
        """Take ``size`` bytes of memory, if there are as many; say whether they were taken."""
        if size > self.left:
            return False
        self._left = self.left - size
        return True

    def release(self, size: int) -> None:
        """Give bytes of memory back that were taken.

        Args:
            size: in bytes.
        """
        self._left = self.left + size

    def reserve_disk(self, size: int, folder: Path | None = None) -> bool:
        """Take ``size`` bytes of disk, if the folder can be written and has as many; say whether they were taken.

        Half of what is free when the first cache asks is for all of them together.

        Args:
            size: bytes of the whole cache.
            folder: its own folder; what lies there already needs no room.
        """
        existing = self.folder
        while not existing.exists() and existing != existing.parent:
            existing = existing.parent
        if not os.access(existing, os.W_OK | os.X_OK):
            return False
        if self._disk_left is None:
            self._disk_left = shutil.disk_usage(existing).free // 2
        held = sum(file.stat().st_size for file in folder.glob("*.pt")) if folder is not None else 0
        needed = max(size - held, 0)
        if needed > self._disk_left:
            return False
        self._disk_left -= needed
        return True


def default_cache_folder() -> Path:
    """Return the folder for cached scans."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")  # noqa: PTH111
    return Path(base) / "clara_compat"


def free_memory() -> int:
    """Return the bytes a process can take without swapping: the system's, or fewer where a container has a limit."""
    free = _system_memory()
    for limit, used in _CGROUPS:
        try:
            room = int(Path(limit).read_text()) - int(Path(used).read_text())
        except (OSError, ValueError):  # no such hierarchy, or "max": no limit
            continue
        free = min(free, max(room, 0))
    return free


def reachable_memory() -> int:
    """Return the bytes that a process can have at all: what a container holds of files only for speed counts, too."""
    reachable = _system_memory()
    for limit, _ in _CGROUPS:
        try:
            reachable = min(reachable, int(Path(limit).read_text()))
        except (OSError, ValueError):  # no such hierarchy, or "max": no limit
            continue
    return reachable


def _system_memory() -> int:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    values = {name: int(rest.split()[0]) * 1024 for name, _, rest in (line.partition(":") for line in lines)}
    return values.get("MemAvailable", values.get("MemFree", 0))
