"""Run a transform chain on one item step by step, as the training would run it at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from monai.transforms import Compose

from clara_compat.engine.data.chain import cached_length
from clara_compat.engine.data.seeding import seeded
from clara_compat.engine.item_context import ItemKey, current_item

__all__ = ["run_stepwise"]


def run_stepwise(
    transform: Compose,
    ends: Sequence[int],
    item: Any,
    key: ItemKey,
    see: Callable[[int, Any], None],
    *,
    requested: bool = False,
    single_thread: bool = False,
) -> Any:
    """Make an item as :class:`~clara_compat.engine.data.dataset.SeededDataset` makes it, and show every step.

    Transforms that write files write none: the item is only looked at.

    Args:
        transform: the whole chain.
        ends: for each step how many transforms of the chain are done after it, in ascending order.
        item: entry of the data list.
        key: says what is drawn at random.
        see: called with the number of the step and the item, or the list of items, after it.
        requested: the config asks for a cache: should the chain's deterministic beginning draw although it says that
            it does not, it draws what the cache would keep.
        single_thread: one torch thread, as under determinism.

    Returns:
        What the whole chain makes, including what follows the last step.
    """
    kept = cached_length(transform) if requested else 0
    done = seen = 0
    for limit, drawn in ((kept, ItemKey(key.seed, 0, key.index, key.index)), (len(transform.transforms), key)):
        with seeded(transform, drawn, single_thread=single_thread), _only_looked_at(key):
            while seen < len(ends) and ends[seen] <= limit:
                item = transform(item, start=done, end=ends[seen])
                done = ends[seen]
                see(seen, item)
                seen += 1
            item = transform(item, start=done, end=limit)
            done = limit
    return item


@contextmanager
def _only_looked_at(key: ItemKey) -> Iterator[None]:
    """Say that the item belongs to no epoch; what is drawn does not depend on it."""
    token = current_item.set(key._replace(epoch=0))
    try:
        yield
    finally:
        current_item.reset(token)
