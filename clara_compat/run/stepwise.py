"""Run a transform chain on one item step by step, as the training would run it at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from monai.transforms import Compose

from clara_compat.engine.data.cache import cached_length
from clara_compat.engine.data.seeding import seeded
from clara_compat.engine.item_context import ItemKey, current_item

__all__ = ["run_stepwise"]

_LOOKED_AT = 0
"""The epoch of an item that is only looked at: taps that write files then write none."""


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

    Args:
        transform: the whole chain.
        ends: for each step how many transforms of the chain are done after it, in ascending order.
        item: entry of the data list.
        key: says what is drawn at random.
        see: called with the number of the step and the item, or the list of items, after it.
        requested: the config asks for a cache: the chain's deterministic beginning draws what the cache would draw,
            should it draw although it says that it does not.
        single_thread: one torch thread, as under determinism.

    Returns:
        What the whole chain makes, including what follows the last step.
    """
    kept = cached_length(transform) if requested else 0
    total = len(transform.transforms)
    done, next_step = 0, 0
    for start, end, drawn in ((0, kept, key._replace(epoch=0, position=key.index)), (kept, total, key)):
        with seeded(transform, drawn, single_thread=single_thread):
            token = current_item.set(key._replace(epoch=_LOOKED_AT))
            try:
                for stop in sorted({*(one for one in ends if start <= one <= end), end}):
                    item = transform(item, start=done, end=stop)
                    done = stop
                    while next_step < len(ends) and ends[next_step] == done and (done < end or end == total):
                        see(next_step, item)
                        next_step += 1
            finally:
                current_item.reset(token)
    return item
