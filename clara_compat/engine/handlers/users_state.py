"""The states of users' own handlers and policies, which a checkpoint keeps where it can."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from clara_compat.common.blame import users_code
from clara_compat.errors import ClaraError

__all__ = ["has_state", "plain_state"]

_PLAIN = (bool, int, float, complex, str, bytes, type(None))


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
    found = _foreign(state)
    if found:
        raise ClaraError(
            f"{name}: state_dict() returned {found}, which a checkpoint cannot hold: return numbers, texts, tensors, "
            "and lists, tuples and dictionaries of them"
        )
    return state


def _foreign(value: Any) -> str:
    """Return what in a value is neither a tensor nor plain data; nothing when all is."""
    if isinstance(value, torch.Tensor) or type(value) in _PLAIN:
        return ""
    if isinstance(value, Mapping) and type(value).__name__ in ("dict", "OrderedDict"):
        return next(filter(None, (_foreign(one) for pair in value.items() for one in pair)), "")
    if type(value) in (list, tuple):
        return next(filter(None, map(_foreign, value)), "")
    return f"a {type(value).__module__}.{type(value).__name__}"
