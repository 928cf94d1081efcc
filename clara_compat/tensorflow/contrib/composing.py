"""slim's layers made of layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch

from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import symbol
from clara_compat.tensorflow.scopes import variable_scope

__all__ = ["repeat", "stack"]


@symbol("contrib.layers.repeat", "contrib.slim.repeat")
def repeat(
    inputs: Any, repetitions: int, layer: Callable[..., torch.Tensor], *args: Any, scope: Any = None, **kwargs: Any
) -> torch.Tensor:
    """Return what a layer makes when it is put on the inputs several times: scopes ``NAME_1``, ``NAME_2``..."""
    with variable_scope(scope, "Repeat"):
        name = _name(layer, "repeat") if scope is None else scope
        for number in range(int(repetitions)):
            inputs = layer(inputs, *args, scope=f"{name}_{number + 1}", **kwargs)
        return inputs


@symbol("contrib.layers.stack", "contrib.slim.stack")
def stack(
    inputs: Any, layer: Callable[..., torch.Tensor], stack_args: Sequence[Any], *, scope: Any = None, **kwargs: Any
) -> torch.Tensor:
    """Return what a layer makes when it is put on the inputs once for each of ``stack_args``.

    Raises:
        ClaraError: these are no list.
    """
    if not isinstance(stack_args, list | tuple):
        raise refusal(f"stack_args is {stack_args!r}, expected a list")
    with variable_scope(scope, "Stack"):
        name = _name(layer, "stack") if scope is None else scope
        for number, one in enumerate(stack_args):
            arguments = one if isinstance(one, list | tuple) else [one]
            inputs = layer(inputs, *arguments, scope=f"{name}_{number + 1}", **kwargs)
        return inputs


def _name(layer: Callable[..., Any], otherwise: str) -> str:
    inner = layer.func if isinstance(layer, partial) else layer
    return getattr(inner, "__name__", otherwise)
