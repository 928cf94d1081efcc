"""glibc keeps freed memory."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from clara_compat.engine.acceleration import memory

FAULTS = """
import resource, sys
import torch
from clara_compat.engine.acceleration.memory import keep_freed_memory
print(keep_freed_memory())
for _ in range(12):
    torch.ones(1 << 24).add_(1)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(12):
    torch.ones(1 << 24).add_(1)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def run(**variables):
    environment = {"PYTHONPATH": ":".join(sys.path), "PATH": "/usr/bin:/bin", **variables}
    done = subprocess.run(
        [sys.executable, "-c", FAULTS], env=environment, capture_output=True, text=True, check=True, timeout=120
    )
    kept, faults = done.stdout.split()
    return kept == "True", int(faults)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_a_freed_tensor_is_not_fetched_anew_from_the_system():
    """Twelve tensors of 64 MB are 12 * 16,384 pages of 4 kB, fewer where the system gives large pages."""
    kept, faults = run()
    assert kept
    kept, usual = run(MALLOC_TOP_PAD_="131072")
    assert not kept
    assert usual > 4 * faults


GIVEN_BACK = """
import gc, sys
from pathlib import Path
import torch
from clara_compat.engine.acceleration.memory import give_back_memory, keep_freed_memory
def megabytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 >> 20
assert keep_freed_memory()
gc.disable()
ring = [torch.ones(1 << 20) for _ in range(64)]
ring.append(ring)
del ring
held = megabytes()
gc.collect()
kept = megabytes()
give_back_memory()
print(held - kept, kept - megabytes())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_memory_that_nobody_holds_goes_back():
    """256 MB: a collection alone leaves them with glibc."""
    environment = {"PYTHONPATH": ":".join(sys.path), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-c", GIVEN_BACK], env=environment, capture_output=True, text=True, check=True, timeout=120
    )
    by_collection, by_giving_back = map(int, done.stdout.split())
    assert by_collection < 64
    assert by_giving_back > 192


@pytest.mark.parametrize("tunables", ["glibc.malloc.trim_threshold=128", "glibc.cpu.x86_shstk=off"])
def test_the_users_tunables_win(monkeypatch, tunables):
    calls = []
    monkeypatch.setattr(memory, "_glibc", lambda name: lambda *call: calls.append(call) or 1)
    monkeypatch.setenv("GLIBC_TUNABLES", tunables)
    assert memory.keep_freed_memory.__wrapped__() == ("malloc" not in tunables)
    assert bool(calls) == ("malloc" not in tunables)


def test_an_older_glibc_that_takes_no_large_threshold_maps_nothing(monkeypatch):
    calls = []

    def mallopt(what, value):
        calls.append((what, value))
        return int(what != -3)

    monkeypatch.setattr(memory, "_glibc", lambda name: mallopt)
    assert memory.keep_freed_memory.__wrapped__()
    assert (-4, 0) in calls


def test_another_c_library_is_left_alone(monkeypatch):
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    assert not memory.keep_freed_memory.__wrapped__()
