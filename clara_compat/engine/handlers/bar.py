"""The live bar of a long loop, for somebody who looks."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

from torch import nn
from tqdm.auto import tqdm

from clara_compat.common.launch import is_first_process

__all__ = ["Bar", "unwanted", "watched"]

_PAUSE = 0.5
"""Seconds between two changes of what stands behind the bar."""


class Bar:
    """One bar at a time, on a terminal or in a notebook; elsewhere nothing."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._hook: Any = None
        self._windows = 0
        self._shown = 0.0

    def open(self, total: int, title: str, unit: str, network: nn.Module | None = None, done: int = 0) -> None:
        """Begin a bar; one that is open is closed.

        Args:
            total: steps.
            title: what stands before the bar.
            unit: what a step is.
            done: steps that were done before.
            network: counts its calls behind the bar: a step can be a scan that is looked through for minutes.
        """
        self.close()
        shown: dict[str, Any] = {"leave": False, "dynamic_ncols": True, "disable": not watched()}
        self._bar = tqdm(total=total, desc=title, unit=unit, initial=done, **shown)
        self._windows = 0
        if network is not None and not self._bar.disable:
            self._hook = network.register_forward_hook(self._window)

    @property
    def is_due(self) -> bool:
        """Whether what stands behind the bar may change: somebody looks, and has had time to read it."""
        return not self._bar.disable and time.perf_counter() - self._shown > _PAUSE

    def note(self, **values: Any) -> None:
        """Show values behind the bar.

        Args:
            values: numbers or text by name.
        """
        self._shown = time.perf_counter()
        self._bar.set_postfix(**values)

    def update(self) -> None:
        """Count a step; the bar of the last one is closed."""
        self._windows = 0
        self._bar.update()
        if self._bar.n >= self._bar.total:
            self.close()

    def close(self) -> None:
        """Take the bar away, if there is one."""
        if self._bar is not None:
            self._bar.close()
        if self._hook is not None:
            self._hook.remove()
            self._hook = None

    def _window(self, *_: Any) -> None:
        self._windows += 1
        if self.is_due:
            self.note(windows=self._windows)


def unwanted() -> bool:
    """Whether ``TQDM_DISABLE``, tqdm's own variable, turns bars off, or another process of the run shows them."""
    return not is_first_process() or os.environ.get("TQDM_DISABLE", "") not in ("", "0")


def watched() -> bool:
    """Whether somebody looks, and wants to: a terminal or a notebook."""
    return not unwanted() and (sys.stderr.isatty() or "ipykernel" in sys.modules)
