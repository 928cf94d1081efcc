"""Flags of Clara's programs that take several values."""

from __future__ import annotations

from collections.abc import Callable, Sequence

__all__ = ["spread"]


def spread(arguments: Sequence[str], flag: str, values: Callable[[str], list[str]]) -> list[str]:
    """Write a flag before each of the values that follow it: Clara's programs took all of them, typer takes one.

    Args:
        arguments: of the command line.
        flag: the flag.
        values: returns the values in an argument; none where it is no value, and so the first that follows them.
    """
    written: list[str] = []
    inside = False
    for argument in arguments:
        found = values(argument) if inside else []
        if argument == flag:
            inside = True
        elif found:
            written += [part for value in found for part in (flag, value)]
        else:
            inside = False
            written.append(argument)
    return written
