"""The entries at the top of a config that stay as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clara_compat.translate.native.native_config import is_ours

__all__ = ["variables"]

_MADE = (
    "imports", "user_code", "cache_budget", "network_def", "network_input", "network", "loss_def", "loss", "optimizer",
    "train", "validate", "initialize", "run", "finalize", "data", "preprocessing", "writers", "dataset", "dataloader",
    "inferer", "postprocessing", "label_preprocessing", "step", "metrics", "handlers", "evaluator",
    "resume", "accelerate",
)  # fmt: skip
"""Entries that are made anew, or that only this package needs."""


def variables(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a user may set: paths, numbers, the device."""
    return {name: value for name, value in config.items() if name not in _MADE and not is_ours_entry(value)}


def is_ours_entry(value: Any) -> bool:
    """Whether an entry runs something of this package; a path may have its name in it."""
    return isinstance(value, Mapping) and is_ours(value)
