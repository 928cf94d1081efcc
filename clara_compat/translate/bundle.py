"""What a workflow becomes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from clara_compat.config.problems import Notice
from clara_compat.errors import Address

__all__ = ["Bundle", "Seeds"]


@dataclass(frozen=True)
class Seeds:
    """The seeds of a run: ``data`` for everything the data side draws, the others by their Clara names."""

    data: int
    torch: int
    numpy: int
    python: int


@dataclass(frozen=True)
class Bundle:
    """What a workflow became.

    Args:
        config: the MONAI bundle config, plain JSON.
        sources: for ``train`` and ``validate``, where each transform of the chain came from.
        notices: choices the user should know of.
    """

    config: dict[str, Any]
    sources: dict[str, list[Address]]
    notices: list[Notice]
