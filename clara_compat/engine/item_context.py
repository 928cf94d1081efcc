"""Which item of a run is being made: known to every transform of the chain while it runs."""

from __future__ import annotations

from contextvars import ContextVar
from typing import NamedTuple

__all__ = ["ItemKey", "current_item"]


class ItemKey(NamedTuple):
    """Identifies one item of one epoch; everything random about the item follows from it.

    Attributes:
        seed: seed of the data side.
        epoch: epoch, from 1 as the engines count; 0 for an item looked at outside any epoch.
        position: position in the epoch, over all processes, from 0.
        index: index in the data list.
    """

    seed: int
    epoch: int
    position: int
    index: int  # type: ignore[assignment]  # nobody searches an item's key, so tuple.index may go


current_item: ContextVar[ItemKey | None] = ContextVar("current_item", default=None)
"""The item whose transforms are running; None outside the data set."""
