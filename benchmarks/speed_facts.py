"""What a figure must be reported with: processor, cores, threads, versions, date."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
import threading
import time
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple


class Processor(NamedTuple):
    """A processor.

    Args:
        name: as it calls itself.
        has_bf16: whether it multiplies bfloat16 (``avx512_bf16``).
    """

    name: str
    has_bf16: bool


def processor(cpuinfo: str | None = None) -> Processor:
    """Return what ``/proc/cpuinfo`` says of the processor; without that file nothing is known of bfloat16.

    Args:
        cpuinfo: its text.
    """
    if cpuinfo is None:
        file = Path("/proc/cpuinfo")
        cpuinfo = file.read_text() if file.exists() else ""
    name = re.search(r"^model name\s*:\s*(.+)$", cpuinfo, re.MULTILINE)
    flags = re.search(r"^flags\s*:\s*(.+)$", cpuinfo, re.MULTILINE)
    known = flags.group(1).split() if flags else []
    named = name.group(1).strip() if name else platform.processor() or platform.machine()
    if re.fullmatch(r"Intel\(R\) Xeon\(R\) Processor( @ .*)?", named):  # a virtual machine hides the number
        special = [flag for flag in ("avx512_bf16", "amx_bf16") if flag in known]
        named += f" (with {', '.join(special)})" if special else ""
    return Processor(named, "avx512_bf16" in known)


def graphics() -> str | None:
    """Return the name of the first NVIDIA GPU, or None where there is none."""
    query = _nvidia_smi("--query-gpu=name", "--format=csv,noheader")
    if query is None:
        return None
    found = subprocess.run(query, capture_output=True, text=True, check=False)  # noqa: S603 -- a fixed command
    return found.stdout.splitlines()[0].strip() if found.returncode == 0 and found.stdout.strip() else None


def machine(device: str) -> dict[str, str]:
    """Return what the figures of a run belong to.

    Args:
        device: ``cpu`` or ``cuda``.
    """
    threads = os.environ.get("OMP_NUM_THREADS", "as many as cores")
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "monai", "pytorch-ignite", "clara-compat"))
    return {
        **({"graphics": graphics() or "none"} if device == "cuda" else {}),
        "processor": processor().name,
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()),
        "threads": threads,
        "load": f"{os.getloadavg()[0]:.1f} processes at work on average in the last minute, this run's among them",
        "versions": f"Python {platform.python_version()}, {packages}",
        "date": datetime.now(timezone.utc).date().isoformat(),
        "command": " ".join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *sys.argv[1:]]),
    }


class Utilisation:
    """Reads how busy the first GPU is, several times a second, while a side has its turn."""

    def __init__(self) -> None:
        self.readings: list[tuple[float, float]] = []
        command = _nvidia_smi("--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "-lms", "100", "-i", "0")
        self._process = command and subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603
        if self._process:
            threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        if not self._process or self._process.stdout is None:
            return
        for line in self._process.stdout:
            if line.strip().isdigit():
                self.readings.append((time.perf_counter(), float(line)))

    def between(self, started: float, ended: float) -> list[float]:
        """Return the readings of a stretch of ``time.perf_counter``, in percent."""
        return [percent for moment, percent in self.readings if started <= moment <= ended]

    def close(self) -> None:
        """Stop reading."""
        if self._process:
            self._process.terminate()
            self._process.wait()


def _nvidia_smi(*arguments: str) -> list[str] | None:
    found = shutil.which("nvidia-smi")
    return None if found is None else [found, *arguments]
