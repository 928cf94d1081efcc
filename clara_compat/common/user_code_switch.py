"""Whether the user's own code may run, which ``--no-user-code`` switches off."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from clara_compat.errors import ClaraError

__all__ = ["check_allowed", "user_code_allowed"]

_forbidden = 0
"""How many runs that go on have switched it off."""


@contextmanager
def user_code_allowed(allowed: bool, mmar: str | os.PathLike[str] | None = None) -> Iterator[None]:
    """Run the block with the user's own code switched on or off.

    While it is off, the loader of user code refuses everything, and Python itself finds no module at or below the
    MMAR: ``PYTHONPATH`` and the working folder (``python -m``) may lead there. Worker processes that are forked
    inherit both.

    Args:
        allowed: with True nothing changes.
        mmar: folder from which no module is imported while user code is off.
    """
    global _forbidden  # noqa: PLW0603 -- a switch of the whole process: the loader is asked from within a bundle config
    if allowed:
        yield
        return
    before = list(sys.path)
    _forbidden += 1
    try:
        if mmar is not None:
            root = os.path.realpath(mmar)  # as Path.resolve, which raises for a loop of links
            sys.path[:] = [entry for entry in before if not Path(os.path.realpath(entry)).is_relative_to(root)]
        yield
    finally:
        _forbidden -= 1
        sys.path[:] = before


def check_allowed(what: str) -> None:
    """Refuse to run code of the user's while it is switched off.

    Args:
        what: is about to run, for the message.

    Raises:
        ClaraError: it is switched off.
    """
    if _forbidden:
        raise ClaraError(f"{what} is not run: user code is switched off (--no-user-code)")
