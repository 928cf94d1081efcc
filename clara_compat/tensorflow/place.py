"""Where in the user's code something happens."""

from __future__ import annotations

import sys

from clara_compat.errors import ClaraError

__all__ = ["refusal", "user_place"]


def user_place() -> str:
    """Return ``file:line`` of the innermost running line of a user's module, or an empty string."""
    frame = sys._getframe(1)  # noqa: SLF001 -- the user's own line, cheaply
    while frame is not None:
        if "__clara_user_module__" in frame.f_globals:
            return f"{frame.f_code.co_filename}:{frame.f_lineno}"
        frame = frame.f_back  # type: ignore[assignment]
    return ""


def refusal(message: str) -> ClaraError:
    """Return the error that says what the user's running line cannot do."""
    place = user_place()
    return ClaraError(f"{place}: {message}" if place else message)
