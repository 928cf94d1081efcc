"""What the optimizers of this package share: parameters in parts that are updated at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch

__all__ = ["loss_of", "parts", "refuse_out_of_range"]


def parts(parameters: Iterable[torch.Tensor]) -> Iterator[tuple[list[torch.Tensor], list[torch.Tensor]]]:
    """Return parameters and their gradients in lists for ``torch._foreach_*``; those without a gradient are left out.

    On a GPU there is one part, so that each operation is one launch for all tensors. On the CPU, where a list saves
    nothing, each parameter is a part of its own: its update then stays in the processor's cache.

    Raises:
        RuntimeError: a gradient is sparse.
    """
    together: tuple[list[torch.Tensor], list[torch.Tensor]] = ([], [])
    for parameter in parameters:
        gradient = parameter.grad
        if gradient is None:
            continue
        if gradient.is_sparse:
            raise RuntimeError("sparse gradients are not supported: use torch.optim.SGD, or dense embeddings")
        if parameter.device.type == "cpu":
            yield [parameter], [gradient]
        else:
            together[0].append(parameter)
            together[1].append(gradient)
    if together[0]:
        yield together


def loss_of(closure: Callable[[], Any] | None) -> Any:
    """Run what computes the loss and its gradients anew, as ``torch.optim.Optimizer.step`` does."""
    if closure is None:
        return None
    with torch.enable_grad():
        return closure()


def refuse_out_of_range(**values: float) -> None:
    """Refuse a negative value, and a decay (of that name or with ``beta`` in it) of 1 and more.

    Raises:
        ValueError: with the name and the value.
    """
    for name, value in values.items():
        below_one = name == "decay" or "beta" in name
        if not value >= 0.0 or (below_one and value >= 1.0):
            raise ValueError(f"{name} is {value} but must be at least 0{' and below 1' if below_one else ''}")
