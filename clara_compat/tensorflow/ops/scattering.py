"""Assignments to some items of a variable."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from clara_compat.tensorflow.convert import as_tensor
from clara_compat.tensorflow.graph import running
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import register

__all__: list[str] = []

Change = Callable[[torch.Tensor, tuple[torch.Tensor, ...], torch.Tensor], None]


def _put(tensor: torch.Tensor, at: tuple[torch.Tensor, ...], values: torch.Tensor) -> None:
    tensor[at] = values


def _add(tensor: torch.Tensor, at: tuple[torch.Tensor, ...], values: torch.Tensor) -> None:
    tensor.index_put_(at, values, accumulate=True)


def _subtract(tensor: torch.Tensor, at: tuple[torch.Tensor, ...], values: torch.Tensor) -> None:
    tensor.index_put_(at, -values, accumulate=True)


def _scatter(change: Change, by_coordinates: bool) -> Callable[..., torch.Tensor]:
    def scatter(
        ref: Any, indices: Any, updates: Any, use_locking: bool | None = None, name: str | None = None
    ) -> torch.Tensor:
        if not isinstance(ref, torch.Tensor):
            raise refusal(f"tf.scatter_* takes a variable, not {type(ref).__name__}")
        graph = running()
        if graph is None or not graph.building:
            with torch.no_grad():
                where = as_tensor(indices).to(ref.device, torch.int64)
                values = as_tensor(updates, like=ref).to(ref.device, ref.dtype)
                at = tuple(where.unbind(-1)) if by_coordinates else (where,)
                change(ref, at, values.expand(*where.shape[: where.ndim - by_coordinates], *ref.shape[len(at) :]))
        return ref

    return scatter


for _name, _change in {"update": _put, "add": _add, "sub": _subtract}.items():
    register(_scatter(_change, False), f"scatter_{_name}")
    register(_scatter(_change, True), f"scatter_nd_{_name}")
