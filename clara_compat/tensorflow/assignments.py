"""Assignments of a pass, which TensorFlow runs when something asks for them.

``tf.assign`` makes an operation. It runs when it is named by ``tf.control_dependencies`` or returned by a model's
``get_update_ops``, and when its value is used. Who uses a value is not seen here: in training, an assignment that was
put nowhere (no collection, no group, no layer's updates) is run at the end of the pass.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch

__all__ = ["Assignments", "Group"]


class Group:
    """What ``tf.group`` returns: operations that run together.

    Args:
        operations: in lists of any depth.
        run: runs them.
    """

    def __init__(self, operations: Any, run: Callable[[Any], None]) -> None:
        self.operations = operations
        self._run = run

    def __call__(self) -> None:
        """Run them."""
        self._run(self.operations)


class _Waiting(NamedTuple):
    value: torch.Tensor
    function: Callable[[], None]


class Assignments:
    """The assignments of a pass, by the identity of their values."""

    def __init__(self) -> None:
        self._waiting: dict[int, _Waiting] = {}
        self._free: set[int] = set()

    def add(self, value: torch.Tensor, function: Callable[[], None]) -> torch.Tensor:
        """Let an assignment wait.

        Args:
            value: a tensor of its own, what the variable will be.
            function: does it.
        """
        self._waiting[id(value)] = _Waiting(value, function)
        self._free.add(id(value))
        return value

    def keep(self, operations: Any) -> None:
        """Take note that somebody has put operations where they may be asked for."""
        if isinstance(operations, list | tuple):
            for one in operations:
                self.keep(one)
        elif isinstance(operations, Group):
            self.keep(operations.operations)
        else:
            self._free.discard(id(operations))

    def run(self, value: torch.Tensor) -> None:
        """Run the assignment whose value this is, if it waits."""
        found = self._waiting.pop(id(value), None)
        self._free.discard(id(value))
        if found is not None:
            found.function()

    def run_free(self) -> None:
        """Run, in the order they were made, those that were put nowhere."""
        for waiting in [one for key, one in self._waiting.items() if key in self._free]:
            self.run(waiting.value)
