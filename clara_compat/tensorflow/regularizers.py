"""Penalties on weights: Keras's, and those of ``tf.contrib.layers``, whose quadratic one is half of Keras's."""

from __future__ import annotations

import numbers
from collections.abc import Callable, Sequence
from typing import Any

import torch

from clara_compat.tensorflow.graph import current
from clara_compat.tensorflow.identifiers import Configured, provide_lookups
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import register, symbol
from clara_compat.tensorflow.scopes import GraphKeys

__all__ = [
    "L1L2",
    "Penalty",
    "Regularizer",
    "apply_regularization",
    "get",
    "l1_l2_regularizer",
    "l1_regularizer",
    "l2_regularizer",
    "sum_regularizer",
]

Penalty = Callable[[torch.Tensor], torch.Tensor | None]
"""Makes a scalar from a variable; None stands for no penalty."""


@symbol("keras.regularizers.Regularizer")
class Regularizer(Configured):
    """Base class of penalties; a subclass overrides the call."""

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Return the penalty of a variable."""
        return torch.zeros((), device=x.device)


@symbol("keras.regularizers.L1L2")
class L1L2(Regularizer):
    """``l1 * sum(abs(x)) + l2 * sum(x * x)``.

    Args:
        l1: factor of the sum of absolute values.
        l2: factor of the sum of squares.
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1 = float(l1)
        self.l2 = float(l2)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Return the penalty of a variable."""
        penalty = torch.zeros((), dtype=x.dtype, device=x.device)
        if self.l1:
            penalty = penalty + self.l1 * x.abs().sum()
        if self.l2:
            penalty = penalty + self.l2 * x.square().sum()
        return penalty


@symbol("keras.regularizers.l1", "keras.regularizers.L1")
def l1(l: float = 0.01, l1: float | None = None) -> L1L2:  # noqa: E741 -- Keras's name
    """Return a penalty on absolute values; ``l1`` is the later name of ``l``."""
    return L1L2(l1=l if l1 is None else l1)


@symbol("keras.regularizers.l2", "keras.regularizers.L2")
def l2(l: float = 0.01, l2: float | None = None) -> L1L2:  # noqa: E741 -- Keras's name
    """Return a penalty on squares; ``l2`` is the later name of ``l``."""
    return L1L2(l2=l if l2 is None else l2)


@symbol("keras.regularizers.l1_l2")
def l1_l2(l1: float = 0.01, l2: float = 0.01) -> L1L2:
    """Return a penalty on absolute values and squares."""
    return L1L2(l1, l2)


get = provide_lookups(
    "keras.regularizers",
    "regularizer",
    {"l1": l1, "l2": l2, "l1_l2": l1_l2, "L1": l1, "L2": l2, "L1L2": L1L2},
)


def l1_regularizer(scale: float, scope: str | None = None) -> Penalty:
    """Return ``scale * sum(abs(x))`` as a function of x; of the scale 0 one that returns None.

    Raises:
        ClaraError: the scale is negative, or an integer.
    """
    _check(scale, "scale")
    return lambda weights: scale * weights.abs().sum() if scale else None


def l2_regularizer(scale: float, scope: str | None = None) -> Penalty:
    """Return ``scale * sum(x * x) / 2`` as a function of x; of the scale 0 one that returns None.

    Raises:
        ClaraError: the scale is negative, or an integer.
    """
    _check(scale, "scale")
    return lambda weights: scale * weights.square().sum() / 2 if scale else None


def l1_l2_regularizer(scale_l1: float = 1.0, scale_l2: float = 1.0, scope: str | None = None) -> Penalty:
    """Return the sum of :func:`l1_regularizer` and :func:`l2_regularizer`.

    Raises:
        ClaraError: a scale is negative, or an integer.
    """
    _check(scale_l1, "scale_l1")
    _check(scale_l2, "scale_l2")
    return _sum([l1_regularizer(scale_l1), l2_regularizer(scale_l2)])


def sum_regularizer(regularizer_list: Sequence[Penalty | None], scope: str | None = None) -> Penalty | None:
    """Return the sum of penalties as a function; None when there are none."""
    there = [one for one in regularizer_list if one is not None]
    return _sum(there) if there else None


def apply_regularization(regularizer: Penalty, weights_list: Sequence[torch.Tensor] | None = None) -> torch.Tensor:
    """Return the sum of a penalty over variables, which also becomes a regularization loss.

    Args:
        regularizer: the penalty.
        weights_list: the variables; None: those of the collection ``weights``, where ``slim`` puts its kernels.

    Raises:
        ClaraError: there are no variables, or the penalty is no scalar.
    """
    graph = current("a regularization loss")
    weights = list(weights_list or graph.collected(GraphKeys.WEIGHTS))
    if not weights:
        raise refusal("there are no weights to regularize: name them as weights_list")
    total = torch.zeros((), device=graph.device)
    for one in weights:
        penalty = regularizer(one)
        if penalty is None:
            continue
        if penalty.ndim:
            raise refusal(f"a regularizer returned the shape {list(penalty.shape)}, expected a scalar")
        total = total + penalty
    graph.collect(GraphKeys.REGULARIZATION_LOSSES, total)
    return total


for _name, _value in {
    "l1_regularizer": l1_regularizer,
    "l2_regularizer": l2_regularizer,
    "l1_l2_regularizer": l1_l2_regularizer,
    "sum_regularizer": sum_regularizer,
    "apply_regularization": apply_regularization,
}.items():
    register(_value, f"contrib.layers.{_name}", f"contrib.slim.{_name}")


def _sum(penalties: Sequence[Penalty]) -> Penalty:
    def total(weights: torch.Tensor) -> torch.Tensor | None:
        values = [value for one in penalties if (value := one(weights)) is not None]
        return sum(values[1:], values[0]) if values else None

    return total


def _check(scale: Any, name: str) -> None:
    if isinstance(scale, numbers.Integral) or (isinstance(scale, numbers.Real) and scale < 0):
        raise refusal(f"{name} is {scale!r}, expected a floating point number that is not negative")
