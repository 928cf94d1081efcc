"""Threads that make items while an epoch trains."""

from __future__ import annotations

import threading

__all__ = ["running", "wait_for_threads"]

running: set[threading.Thread] = set()
"""Those of all caches."""


def wait_for_threads() -> None:
    """Wait for everything that caches make in the background.

    A process must not fork while another thread works: a lock held at that moment stays locked in the child for ever.
    """
    while running:
        running.pop().join()
