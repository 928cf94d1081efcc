"""What the processes of a run tell each other; a process that runs alone has the same answers without asking.

Everything here is for all processes at the same place of their program: whoever calls waits for the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import zip_longest
from typing import TypeVar

import torch
import torch.distributed as dist

__all__ = [
    "any_process",
    "everybody",
    "from_first",
    "is_first",
    "largest",
    "merged",
    "merged_on_first",
    "rank",
    "size",
    "to_first",
]

T = TypeVar("T")


def size() -> int:
    """Return how many processes the run has."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    """Return the number of this process, from 0."""
    return dist.get_rank() if size() > 1 else 0


def is_first() -> bool:
    """Whether this is the process that writes files, and the log."""
    return rank() == 0


def everybody(value: T) -> list[T]:
    """Return the value of every process, by rank.

    Args:
        value: this one's; plain data and arrays.
    """
    if size() == 1:
        return [value]
    found: list[T | None] = [None] * size()
    dist.all_gather_object(found, value)
    return found  # type: ignore[return-value]  # every place has been filled


def from_first(make: Callable[[], T]) -> T:
    """Return what the first process makes, on all of them; the others do not call ``make``.

    Args:
        make: gives plain data. When it raises, the run ends.
    """
    if size() == 1:
        return make()
    held = [make() if is_first() else None]
    dist.broadcast_object_list(held, src=0)
    return held[0]  # type: ignore[return-value]  # what was made


def any_process(flag: bool) -> bool:
    """Return whether the flag is set on any process.

    Args:
        flag: this one's.
    """
    return bool(largest(int(flag)))


def largest(number: int) -> int:
    """Return the largest number of all processes, in one short message that no device waits for.

    Args:
        number: this one's.
    """
    if size() == 1:
        return number
    told = torch.tensor(number, dtype=torch.int64)
    dist.all_reduce(told, op=dist.ReduceOp.MAX)
    return int(told)


def to_first(values: Sequence[T]) -> list[T]:
    """Return what all processes have, rank by rank, on the first one; on the others nothing.

    Args:
        values: this one's; plain data and arrays.
    """
    if size() == 1:
        return list(values)
    found: list[Sequence[T] | None] | None = [None] * size() if is_first() else None
    dist.gather_object(values, found, dst=0)
    return [one for part in found or () for one in part or ()]


def merged(rounds: Sequence[Sequence[T]]) -> list[T]:
    """Return what all processes have, in the order of one process: round by round, and in a round rank by rank.

    Args:
        rounds: what this process has of each of its batches.
    """
    return _in_a_row(everybody(rounds))


def merged_on_first(rounds: Sequence[Sequence[T]]) -> list[T]:
    """Return what :func:`merged` does on the first process, on the others nothing.

    Args:
        rounds: what this process has of each of its batches.
    """
    return _in_a_row(to_first([rounds]))


def _in_a_row(parts: Sequence[Sequence[Sequence[T]]]) -> list[T]:
    return [one for together in zip_longest(*parts, fillvalue=()) for part in together for one in part]
