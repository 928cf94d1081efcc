"""Random state of one item: set from its key, restored afterwards."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from monai.transforms import Randomizable
from torch.utils.data import get_worker_info

from clara_compat.engine.item_context import ItemKey, current_item

__all__ = ["drawing", "drawn_from", "seeded"]


@contextmanager
def seeded(transform: Any, key: ItemKey, *, stream: int = 0, single_thread: bool = False) -> Iterator[None]:
    """Make everything random inside the block a function of ``key``.

    MONAI's ``R`` of every random transform, ``numpy.random``, ``random`` and torch's CPU generator are seeded from
    ``SeedSequence((seed, epoch, position))``; the last three are restored afterwards, so the training loop's own
    randomness (dropout) does not depend on which process loads the data.

    Args:
        transform: the transform chain; seeded when it is ``Randomizable``.
        key: the item.
        stream: further streams of numbers of the same item: 0 for its chain, 1 for the transforms of its batch.
        single_thread: run torch on one thread inside the block. Full reductions such as ``std`` differ in the last bit
            between one and more threads, and worker processes always have one.
    """
    words = _words(key, stream)
    numpy_state, python_state, torch_state = np.random.get_state(), random.getstate(), torch.get_rng_state()
    threads = torch.get_num_threads()
    if isinstance(transform, Randomizable):
        transform.set_random_state(seed=int(words[0]))
    np.random.seed(words[1])
    random.seed(int(words[2]))
    torch.random.default_generator.manual_seed(int(words[3]))
    narrow = single_thread and threads > 1 and get_worker_info() is None
    if narrow:
        torch.set_num_threads(1)
    token = current_item.set(key)
    try:
        yield
    finally:
        current_item.reset(token)
        if narrow:
            torch.set_num_threads(threads)
        np.random.set_state(numpy_state)
        random.setstate(python_state)
        torch.set_rng_state(torch_state)


@contextmanager
def drawing(transform: Any, key: ItemKey, *, stream: int = 0) -> Iterator[None]:
    """Seed MONAI's ``R`` as :func:`seeded` does, and nothing else: for a thread beside the training loop.

    Args:
        transform: a chain whose transforms inside the block draw from ``R`` only.
        key: the item.
        stream: as for :func:`seeded`.
    """
    if isinstance(transform, Randomizable):
        transform.set_random_state(seed=int(_words(key, stream)[0]))
    token = current_item.set(key)
    try:
        yield
    finally:
        current_item.reset(token)


def _words(key: ItemKey, stream: int) -> Any:
    entropy = [key.seed, key.epoch, key.position, *([stream] if stream else [])]
    return np.random.SeedSequence(entropy).generate_state(4)


@contextmanager
def drawn_from() -> Iterator[Callable[[], bool]]:
    """Watch the global generators (``numpy.random``, ``random``, torch's) inside the block.

    Yields a function that says, afterwards, whether any of them was drawn from.
    """
    before = _states()
    yield lambda: _states() != before


def _states() -> tuple[Any, ...]:
    drawn: Any = np.random.get_state()
    return drawn[1].tobytes(), drawn[2:], random.getstate(), torch.get_rng_state().numpy().tobytes()
