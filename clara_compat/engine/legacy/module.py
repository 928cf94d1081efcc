"""A user's own network or loss as torch runs it."""

from __future__ import annotations

from typing import Any

from torch import nn

from clara_compat.errors import ClaraError

__all__ = ["user_module"]


def user_module(module: Any, name: str) -> nn.Module:
    """Return the user's object, a module that can be called.

    Args:
        module: the user's object.
        name: its class, for the message.

    Raises:
        ClaraError: it is none.
    """
    if not isinstance(module, nn.Module):
        raise ClaraError(
            f"'{name}' is no torch.nn.Module: derive it from that, or from Clara's Model (with get_predictions) or "
            "Loss (with get_loss)"
        )
    if type(module).forward is nn.Module.forward:
        raise ClaraError(f"'{name}' has no method forward, which torch calls")
    return module
