"""Keras's constraints on weights: what a weight becomes after each step of the optimizer."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from clara_compat.tensorflow.identifiers import Configured, provide_lookups
from clara_compat.tensorflow.registry import register, symbol

__all__ = ["Constraint", "MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm", "get"]

_EPSILON = 1e-7


@symbol("keras.constraints.Constraint")
class Constraint(Configured):
    """Base class of constraints; a subclass overrides the call."""

    def __call__(self, w: torch.Tensor) -> torch.Tensor:
        """Return what a weight becomes."""
        return w


class MinMaxNorm(Constraint):
    """Brings norms into a range.

    Args:
        min_value: the least norm.
        max_value: the largest norm.
        rate: how far a norm outside goes to the range in one step: 1 is all the way.
        axis: what a norm is taken over: one axis, or several.
    """

    def __init__(
        self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: int | Sequence[int] = 0
    ) -> None:
        self.min_value = min_value
        self.max_value = max_value
        self.rate = rate
        self.axis = axis

    def __call__(self, w: torch.Tensor) -> torch.Tensor:
        """Return what a weight becomes."""
        norm = _norm(w, self.axis)
        wanted = self.rate * norm.clamp(self.min_value, self.max_value) + (1 - self.rate) * norm
        return w * (wanted / (_EPSILON + norm))


class MaxNorm(Constraint):
    """Brings norms down to a limit.

    Args:
        max_value: the largest norm.
        axis: what a norm is taken over: one axis, or several.
    """

    def __init__(self, max_value: float = 2, axis: int | Sequence[int] = 0) -> None:
        self.max_value = max_value
        self.axis = axis

    def __call__(self, w: torch.Tensor) -> torch.Tensor:
        """Return what a weight becomes."""
        norm = _norm(w, self.axis)
        return w * (norm.clamp(0, self.max_value) / (_EPSILON + norm))


class NonNeg(Constraint):
    """Makes negative weights 0."""

    def __call__(self, w: torch.Tensor) -> torch.Tensor:
        """Return what a weight becomes."""
        return w.clamp(min=0)


class UnitNorm(Constraint):
    """Makes norms 1.

    Args:
        axis: what a norm is taken over: one axis, or several.
    """

    def __init__(self, axis: int | Sequence[int] = 0) -> None:
        self.axis = axis

    def __call__(self, w: torch.Tensor) -> torch.Tensor:
        """Return what a weight becomes."""
        return w / (_EPSILON + _norm(w, self.axis))


def _norm(w: torch.Tensor, axis: int | Sequence[int]) -> torch.Tensor:
    return w.square().sum(axis if isinstance(axis, int) else tuple(axis), keepdim=True).sqrt()


_CLASSES = {"max_norm": MaxNorm, "non_neg": NonNeg, "unit_norm": UnitNorm, "min_max_norm": MinMaxNorm}
for _name, _class in _CLASSES.items():
    register(_class, f"keras.constraints.{_name}", f"keras.constraints.{_class.__name__}")

get = provide_lookups(
    "keras.constraints", "constraint", {**_CLASSES, **{_class.__name__: _class for _class in _CLASSES.values()}}
)
