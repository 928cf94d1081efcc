"""One number for each step of an epoch."""

from __future__ import annotations

import torch

__all__ = ["StepValues"]


class StepValues:
    """Gathers single numbers, which stay on their device until somebody asks for all of them.

    Args:
        earlier: values (n,) that go first, such as those of before an interruption.
    """

    def __init__(self, earlier: torch.Tensor | None = None) -> None:
        self._earlier = torch.empty(0, dtype=torch.float64) if earlier is None else earlier.double().cpu()
        self._new: list[torch.Tensor] = []

    def append(self, value: torch.Tensor) -> None:
        """Take the value of a step.

        Args:
            value: a tensor of one element.
        """
        self._new.append(value.detach().reshape(()))

    def all(self) -> torch.Tensor:
        """Return all values (n,), float64 on the CPU."""
        if self._new:
            self._earlier = torch.cat([self._earlier, torch.stack(self._new).double().cpu()])
            self._new = []
        return self._earlier
