"""The states of users' own handlers and policies, which a checkpoint keeps where it can."""

from __future__ import annotations

from typing import Any

from clara_compat.common.blame import users_code
from clara_compat.engine.plain_data import plain_data
from clara_compat.errors import ClaraError

__all__ = ["has_state", "plain_state"]


def has_state(thing: Any) -> bool:
    """Whether something can be kept: it has ``state_dict`` and ``load_state_dict``.

    Args:
        thing: a handler or a policy.
    """
    return callable(getattr(thing, "state_dict", None)) and callable(getattr(thing, "load_state_dict", None))


def plain_state(thing: Any, name: str) -> Any:
    """Return what a user's ``state_dict`` returns.

    Args:
        thing: a handler or a policy that has one.
        name: what a message calls it.

    Raises:
        ClaraError: it holds something else than tensors and plain data, which could not be read again: a checkpoint is
            never a pickle of objects.
    """
    with users_code(f"{name}, state_dict"):
        state = thing.state_dict()
    try:
        return plain_data(state)
    except TypeError as error:
        raise ClaraError(
            f"{name}: state_dict() returned {error}, which a checkpoint cannot hold: return numbers, texts, tensors, "
            "and lists, tuples and dictionaries of them"
        ) from error
