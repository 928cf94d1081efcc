"""Handlers that stand elsewhere in a config."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ignite.engine import Engine

__all__ = ["NamedHandlers"]


class NamedHandlers:
    """Attaches handlers that have entries of their own, because other entries point at them, too.

    MONAI's ``ConfigWorkflow.check_properties`` takes everything in a list of handlers for an entry with a
    ``_target_``, and ends with a ``TypeError`` at a reference such as ``@train#events``.

    Args:
        handlers: in the order in which they are attached.
    """

    def __init__(self, handlers: Sequence[Any]) -> None:
        self.handlers = list(handlers)

    def attach(self, engine: Engine) -> None:
        """Attach the handlers."""
        for handler in self.handlers:
            handler.attach(engine)
