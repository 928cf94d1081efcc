"""Items that cannot be made and are skipped: which ones take their places, and a book of them."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any, Literal

from clara_compat.common.records import SkippedItem
from clara_compat.engine.data.datalist import describe
from clara_compat.engine.data.failure import ItemFailure
from clara_compat.errors import ClaraError

__all__ = ["STOP", "OnBadItem", "SkippedItems", "SkippingBatch", "none_can_be_made", "substitutes"]

logger = logging.getLogger("clara_compat")

OnBadItem = Literal["stop", "replace", "leave_out"]
"""What happens when an item cannot be made."""

STOP: OnBadItem = "stop"


def substitutes(index: int, items: int, categories: Sequence[str] | None = None) -> list[int]:
    """Return the items that may take the place of one that cannot be made, the first choice first.

    They are the next ones of the data list, which starts again after its end, as far as half of the list.

    Args:
        index: of the item.
        items: length of the data list.
        categories: of every item, where an epoch balances them: those of the same one come first.
    """
    following = [(index + step) % items for step in range(1, items)]
    if categories is not None:
        following.sort(key=lambda other: categories[other] != categories[index])
    return following[: items // 2]


def none_can_be_made(failed: Sequence[ItemFailure], items: int) -> ItemFailure:
    """Return the failure of a list with too many items that cannot be made.

    Args:
        failed: the first ones.
        items: length of the data list.
    """
    count = len({one.files for one in failed})
    reason = (
        f"{count} items in a row of the {items} of the data list cannot be made, too many to skip; the first: "
        f"{failed[0].reason}"
    )
    return replace(failed[0], reason=reason, skippable=False)


@dataclass(frozen=True)
class SkippingBatch:
    """A batch some of whose items were skipped.

    Args:
        batch: the fields of the others; None when there is none.
        skipped: what failed.
        fills: the batch is there only because every process has one; nothing of it counts.
    """

    batch: Any
    skipped: Sequence[ItemFailure]
    fills: bool = False


class SkippedItems:
    """The book of what a loader has skipped; names every item in the log when it is met first.

    Args:
        data: items of the data list.
        section: ``train`` or ``validate``.
    """

    def __init__(self, data: Sequence[Any], section: str) -> None:
        self.data = data
        self.section = section
        self.items: dict[str, SkippedItem] = {}
        """By the items' files."""
        self.instead: dict[tuple[int, int], int] = {}
        """Which item of the data list took the place of another, by epoch and position."""

    @cached_property
    def distinct(self) -> int:
        """Items of the data list, those that are alike once."""
        return len({describe(item) for item in self.data})

    @property
    def times(self) -> int:
        """How often items were skipped."""
        return sum(one.times for one in self.items.values())

    def enter(self, failures: Sequence[ItemFailure], epoch: int) -> None:
        """Note what was skipped.

        Args:
            failures: of a batch.
            epoch: from 1.
        """
        for one in failures:
            if one.position is not None and one.instead is not None:
                self.instead[epoch, one.position] = one.instead
            known = self.items.get(one.files)
            if known is None:
                does = "is left out" if one.instead is None else "is replaced by the next one that can be made"
                logger.warning("%s: an item cannot be made and %s: %s (%s)", one.section, does, one.reason, one.files)
            times = 1 if known is None else known.times + 1
            self.items[one.files] = SkippedItem(one.files, one.reason, one.section, times)

    def check_half(self) -> None:
        """End a run that would no longer be one on its data list.

        Raises:
            ClaraError: more than half of the items were skipped.
        """
        if 2 * len(self.items) <= self.distinct:
            return
        first = next(iter(self.items.values()))
        raise ClaraError(
            f"{self.section}: {len(self.items)} of the {self.distinct} items of the data list cannot be made, more "
            f"than half, so none is skipped any more: mend them, or take them out of the list; the first: "
            f"{first.reason} ({first.files})"
        )

    def of_all(self, told: Sequence[Sequence[Mapping[str, Any]]]) -> SkippedItems:
        """Return the book of several processes together.

        Args:
            told: what :meth:`told` returned on each.
        """
        book = SkippedItems(self.data, self.section)
        for one in (SkippedItem(**item) for items in told for item in items):
            known = book.items.get(one.files)
            book.items[one.files] = one if known is None else replace(one, times=one.times + known.times)
        return book

    def told(self) -> list[dict[str, Any]]:
        """Return the items as plain data."""
        return [asdict(one) for one in self.items.values()]

    def restore(self, told: Sequence[Mapping[str, Any]]) -> None:
        """Go on with what :meth:`told` returned in another run.

        Args:
            told: the items.
        """
        self.items = {str(one["files"]): SkippedItem(**one) for one in told}
