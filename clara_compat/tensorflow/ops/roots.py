"""Functions with an infinite slope at 0, whose gradients TensorFlow keeps from becoming NaN."""

from __future__ import annotations

from collections.abc import Callable

import torch

__all__ = ["inverse_square_root", "reciprocal", "square_root"]

_Function = Callable[[torch.Tensor], torch.Tensor]


def _silent_where_nothing_comes_in(function: _Function) -> _Function:
    """Return a function whose gradient is 0 wherever 0 comes in, as in TensorFlow's kernels, whatever the slope.

    torch multiplies the two, and 0 times infinity is NaN: in a loss that masks an empty class, for example.
    """

    def of_one(x: torch.Tensor) -> torch.Tensor:
        is_recorded = torch.jit.is_tracing() or torch.compiler.is_compiling()
        if is_recorded or not x.requires_grad or not torch.is_grad_enabled():
            return function(x)
        source = x.view_as(x)
        result = function(source)
        nothing: list[torch.Tensor] = []

        def on_its_way_in(gradient: torch.Tensor) -> None:
            nothing[:] = [gradient == 0]

        def on_its_way_out(gradient: torch.Tensor) -> torch.Tensor:
            return torch.where(nothing[0], torch.zeros_like(gradient), gradient)

        result.register_hook(on_its_way_in)
        source.register_hook(on_its_way_out)
        return result

    return of_one


def _inverse_square_root(x: torch.Tensor) -> torch.Tensor:
    return x.rsqrt()


square_root = _silent_where_nothing_comes_in(torch.sqrt)
inverse_square_root = _silent_where_nothing_comes_in(_inverse_square_root)
reciprocal = _silent_where_nothing_comes_in(torch.reciprocal)
