"""The time at which a device has done what it was given."""

from __future__ import annotations

import time

import torch
from ignite.engine import Engine

__all__ = ["now", "reading"]


def now(engine: Engine) -> float:
    """Return the seconds of a clock when the trainer's device has caught up.

    Args:
        engine: the trainer.
    """
    return reading(torch.device(engine.state.device))


def reading(device: torch.device) -> float:
    """Return the seconds of the clock when a device has caught up.

    Args:
        device: what computes; a CPU is never behind.
    """
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()
