"""Which items an epoch has, and in which order: a pure function of (seed, epoch)."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from clara_compat.errors import ClaraError

__all__ = ["EpochPlan", "category_of"]

_ORDER, _CATEGORIES = 0, 1  # streams of random numbers of an epoch


class EpochPlan:
    """Says for every epoch which items it uses, in which order.

    - ``cached`` items of the list (all by default) make the window of the first epoch; after every epoch the window
      moves on by ``ceil(cached * replace_percent)`` items and starts again at the list's beginning. An epoch is one
      pass over its window (Clara's smart cache; clara-3.1 facts, engine section 2.5).
    - ``items_per_category`` draws that many items of each category, every item once before any a second time.
    - ``category_weights`` (or ``sampling="automatic"``: equal weights) draws as many items as the window has, with
      replacement: first a category by its weight, then one of its items.

    How Clara balanced categories is not documented: the last two are `assumed`.

    Args:
        data: the items of the data list.
        shuffle: a new order each epoch; otherwise the list's.
        seed: data seed of the run.
        cached: items of the window; None for the whole list.
        replace_percent: fraction (0 to 1) of the window that is replaced after every epoch.
        items_per_category: items of each category per epoch, one number or one per category.
        category_weights: weight of each category (a mapping by its name, or a list in the categories' sorted order).
        sampling: ``automatic`` gives every category the same weight.

    Raises:
        ClaraError: an item has no category, or the categories do not fit the numbers.
    """

    def __init__(
        self,
        data: Sequence[Mapping[str, Any]],
        *,
        shuffle: bool,
        seed: int,
        cached: int | None = None,
        replace_percent: float = 0.0,
        items_per_category: Any = None,
        category_weights: Any = None,
        sampling: str | None = None,
    ) -> None:
        self.shuffle = shuffle
        self.seed = seed
        self.items = len(data)
        self.size = min(cached or self.items, self.items)
        # rounded first: 100 x 0.07 is 7.000000000000001
        self.replaced = math.ceil(round(self.size * replace_percent, 9)) if self.size < self.items else 0
        balanced = any(value not in (None, [], {}, "") for value in (items_per_category, category_weights, sampling))
        self.categories = [category_of(item, i) for i, item in enumerate(data)] if balanced else None
        names = sorted(set(self.categories or ()))
        self.per_category = _numbers(items_per_category, names, "items_per_category")
        self.weights = _numbers(category_weights, names, "category_weights")
        if balanced and not self.per_category and not self.weights:
            self.weights = dict.fromkeys(names, 1.0)

    def __len__(self) -> int:
        """Return the number of items of an epoch."""
        return sum(map(int, self.per_category.values())) if self.per_category else self.size

    def window(self, epoch: int) -> list[int]:
        """Return the indices of the items that ``epoch`` (from 1) may use, in the list's order from its start."""
        start = max(epoch - 1, 0) * self.replaced
        return [(start + i) % self.items for i in range(self.size)]

    def needed(self, epoch: int) -> list[int]:
        """Return the indices of the items of ``epoch`` that this process may have to read.

        Of several processes each may get every item where the order is drawn anew; where it is always the same, each
        has its own.

        Args:
            epoch: from 1.
        """
        fixed = not self.shuffle and self.categories is None and not self.replaced
        if not fixed:
            return self.window(epoch)
        from clara_compat.engine.distributed.gather import rank, size  # with torch, which a check does without

        return self.order(epoch)[rank() :: size()] if size() > 1 else self.window(epoch)

    def order(self, epoch: int) -> list[int]:
        """Return the indices of the items of ``epoch`` (from 1), by their positions."""
        window = self.window(epoch)
        chosen = window if self.categories is None else self._balanced(window, self._random(epoch, _CATEGORIES))
        if not self.shuffle:
            return sorted(chosen) if self.size == self.items else chosen
        return [chosen[i] for i in self._random(epoch, _ORDER).permutation(len(chosen))]

    def _random(self, epoch: int, stream: int) -> np.random.Generator:
        key = [self.seed, epoch] if stream == _ORDER else [self.seed, epoch, stream]
        return np.random.default_rng(np.random.SeedSequence(key))

    def _balanced(self, window: Sequence[int], random: np.random.Generator) -> list[int]:
        members: dict[str, list[int]] = {}
        for index in window:
            members.setdefault((self.categories or [])[index], []).append(index)
        if self.per_category:
            drawn = [
                index
                for name in sorted(members)
                for index in _rounds(members[name], int(self.per_category[name]), random)
            ]
            # A window without some category: the others fill the epoch, whose length is always the same.
            return drawn + _rounds(window, len(self) - len(drawn), random)
        names = sorted(members)
        weights = np.array([self.weights[name] for name in names], dtype=np.float64)
        if not weights.sum():  # none of the categories that have a weight is in the window
            weights = np.ones(len(names))
        chosen = random.choice(len(names), size=len(window), p=weights / weights.sum())
        return [members[names[i]][random.integers(len(members[names[i]]))] for i in chosen]


def category_of(item: Mapping[str, Any], index: int) -> str:
    """Return the category of an item of a data list: its ``category``, or else its class label.

    The label is a number or a list of numbers; a list is one category per combination. Assumed, see :class:`EpochPlan`.

    Args:
        item: an entry of a data list.
        index: its position there, for the message.

    Raises:
        ClaraError: the item has neither.
    """
    value = item.get("category", item.get("label"))
    numbers = value if isinstance(value, (list, tuple)) else [value]
    if "category" not in item and not all(isinstance(one, (int, float)) for one in numbers):
        raise ClaraError(
            f"item {index} of the data list has no category to balance by: give every item a 'category' or a class "
            "label, or leave items_per_category, category_weights and sampling out"
        )
    return value if isinstance(value, str) else json.dumps(value)


def _rounds(members: Sequence[int], count: int, random: np.random.Generator) -> list[int]:
    """Draw ``count`` of the members, each once before any is drawn again."""
    drawn: list[int] = []
    while len(drawn) < count:
        drawn += [members[i] for i in random.permutation(len(members))]
    return drawn[:count]


def _numbers(value: Any, names: Sequence[str], argument: str) -> dict[str, float]:
    """Return one number per category, from a number, a list in the categories' order, or a mapping."""
    if value in (None, [], {}):
        return {}
    if isinstance(value, Mapping):
        found = {str(name): number for name, number in value.items()}
        if set(found) != set(names):
            raise ClaraError(f"{argument} names the categories {sorted(found)}, the data list has {list(names)}")
    else:
        numbers = value if isinstance(value, (list, tuple)) else [value] * len(names)
        if len(numbers) != len(names):
            raise ClaraError(f"{argument} has {len(numbers)} numbers, the data list {len(names)} categories: {names}")
        found = dict(zip(names, numbers, strict=True))
    if not all(isinstance(one, (int, float)) and one >= 0 for one in found.values()) or not sum(found.values()):
        raise ClaraError(f"{argument} is {value!r}, expected numbers of at least 0, not all of them 0")
    return found
