"""Whose line an error came from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from clara_compat.errors import ClaraError

__all__ = ["USER_MODULES", "own_name", "told", "user_line", "users_code"]

USER_MODULES = "clara_user_code_"
"""What, with a number and a dot, stands before the names of the user's modules in ``sys.modules``."""
_INTERNAL = re.compile(rf"\b{USER_MODULES}\d+\.")


def user_line(error: BaseException) -> str:
    """Return ``file:line`` of the innermost line of a user's module that ``error`` passed, or an empty string."""
    place = ""
    tb = error.__traceback__
    while tb is not None:
        if "__clara_user_module__" in tb.tb_frame.f_globals:
            place = f"{tb.tb_frame.f_code.co_filename}:{tb.tb_lineno}"
        tb = tb.tb_next
    return place


def own_name(text: str) -> str:
    """Return a text, or the name of a module, in which the user's modules have the names that the user gave them.

    Args:
        text: a message, or a module's name.
    """
    return _INTERNAL.sub("", text)


def told(error: BaseException) -> str:
    """Return ``Type: message`` with the user's own names of their modules.

    Args:
        error: what was raised.
    """
    return f"{type(error).__name__}: {own_name(str(error))}"


@contextmanager
def users_code(what: str) -> Iterator[None]:
    """Turn whatever the user's code raises inside the block into one sentence with its file and line.

    Args:
        what: what was running: ``metric 'dice'``.
    """
    try:
        yield
    except ClaraError:
        raise
    except (Exception, SystemExit) as error:
        place = user_line(error)
        raise ClaraError(f"{what}: {place + ': ' if place else ''}{told(error)}") from error
