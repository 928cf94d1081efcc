"""Networks for their shapes only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

__all__ = ["unallocated"]

_WEIGHTS = frozenset({torch.empty, torch.full, torch.ones, torch.rand, torch.randn, torch.zeros})
"""What layers make their weights of; tables of numbers, which constructors compute with, come from elsewhere."""


@contextmanager
def unallocated() -> Iterator[None]:
    """Make the weights of layers on the device ``meta``: no memory is taken, however large they are."""
    with _Unallocated():
        yield


class _Unallocated(TorchFunctionMode):
    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        given = dict(kwargs or {})
        if function in _WEIGHTS and given.get("device") is None:
            given["device"] = "meta"
        return function(*args, **given)
