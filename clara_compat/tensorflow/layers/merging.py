"""Keras's layers that make one tensor of several, and their functions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

import torch

from clara_compat.tensorflow.layers.base import Layer
from clara_compat.tensorflow.ops.elementwise import maximum, minimum
from clara_compat.tensorflow.ops.joining import joined
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import register, symbol

__all__ = ["Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply", "Subtract"]


def _several(layer: Layer, inputs: Any, at_least: int = 2) -> list[torch.Tensor]:
    if not isinstance(inputs, list | tuple) or len(inputs) < at_least:
        got = f"a list of {len(inputs)}" if isinstance(inputs, list | tuple) else "one tensor"
        raise refusal(f"layer '{layer.name}' got {got}, expected a list of at least {at_least} tensors")
    return list(inputs)


class _Merge(Layer):
    """Joins tensors element by element; a tensor with fewer axes gets some behind the batch's, as in Keras."""

    def call(self, inputs: Any) -> torch.Tensor:
        """Return the joint tensor."""
        found = _several(self, inputs)
        most = max(one.ndim for one in found)
        found = [one.reshape(one.shape[0], *[1] * (most - one.ndim), *one.shape[1:]) for one in found]
        try:
            return self.joined(found)
        except RuntimeError as error:
            raise refusal(
                f"layer '{self.name}' got the shapes {[list(one.shape) for one in found]}: {error}"
            ) from error

    def joined(self, inputs: list[torch.Tensor]) -> torch.Tensor:
        """Join tensors of as many axes each; a subclass overrides it."""
        raise NotImplementedError


@symbol("keras.layers.Add")
class Add(_Merge):
    """The sum."""

    def joined(self, inputs: list[torch.Tensor]) -> torch.Tensor:
        """Return the sum."""
        return reduce(torch.add, inputs)


@symbol("keras.layers.Subtract")
class Subtract(_Merge):
    """The first less the second."""

    def joined(self, inputs: list[torch.Tensor]) -> torch.Tensor:
        """Return the difference."""
        if len(inputs) != 2:
            raise refusal(f"layer '{self.name}' got {len(inputs)} tensors, expected 2")
        return inputs[0] - inputs[1]


@symbol("keras.layers.Multiply")
class Multiply(_Merge):
    """The product."""

    def joined(self, inputs: list[torch.Tensor]) -> torch.Tensor:
        """Return the product."""
        return reduce(torch.mul, inputs)


@symbol("keras.layers.Average")
class Average(_Merge):
    """The mean."""

    def joined(self, inputs: list[torch.Tensor]) -> torch.Tensor:
        """Return the mean."""
        return reduce(torch.add, inputs) / len(inputs)


@symbol("keras.layers.Maximum")
class Maximum(_Merge):
    """The largest."""

    def joined(self, inputs: list[torch.Tensor]) -> torch.Tensor:
        """Return the largest."""
        return reduce(maximum, inputs)


@symbol("keras.layers.Minimum")
class Minimum(_Merge):
    """The smallest."""

    def joined(self, inputs: list[torch.Tensor]) -> torch.Tensor:
        """Return the smallest."""
        return reduce(minimum, inputs)


@symbol("keras.layers.Concatenate")
class Concatenate(Layer):
    """One behind the other.

    Args:
        axis: along which.
        **kwargs: what every layer takes.
    """

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs: Any) -> torch.Tensor:
        """Return the joint tensor."""
        found = _several(self, inputs, at_least=1)
        return joined(found, self.axis, f"layer '{self.name}'")


@symbol("keras.layers.Dot")
class Dot(Layer):
    """The products of two tensors along an axis of each.

    Args:
        axes: one for both, or one for each.
        normalize: divide both by their norms along them first.
        **kwargs: what every layer takes.
    """

    def __init__(self, axes: int | Sequence[int], normalize: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axes = axes
        self.normalize = normalize

    def call(self, inputs: Any) -> torch.Tensor:
        """Return (N, other axes of the first, other axes of the second)."""
        first, second = _several(self, inputs)
        left, right = (self.axes, self.axes) if isinstance(self.axes, int) else self.axes
        if self.normalize:
            first, second = (torch.nn.functional.normalize(t, dim=a) for t, a in ((first, left), (second, right)))
        first, second = first.movedim(left, -1), second.movedim(right, 1)
        found = first.flatten(1, -2) @ second.flatten(2) if first.ndim > 2 and second.ndim > 2 else None
        if found is None:
            a = first.reshape(first.shape[0], -1, first.shape[-1])
            b = second.reshape(second.shape[0], second.shape[1], -1)
            found = a @ b
        shape = [*first.shape[:-1], *second.shape[2:]]
        return found.reshape(shape if len(shape) > 1 else [shape[0], 1])


def _function(cls: type[Layer], doc: str) -> Any:
    def joined(inputs: Any, **kwargs: Any) -> Any:
        return cls(**kwargs)(inputs)

    joined.__doc__ = doc
    joined.__name__ = cls.__name__.lower()
    return joined


for _cls in (Add, Subtract, Multiply, Average, Maximum, Minimum):
    register(_function(_cls, f"Call a new :class:`{_cls.__name__}`."), f"keras.layers.{_cls.__name__.lower()}")


@symbol("keras.layers.concatenate")
def concatenate(inputs: Any, axis: int = -1, **kwargs: Any) -> Any:
    """Call a new :class:`Concatenate`."""
    return Concatenate(axis=axis, **kwargs)(inputs)


@symbol("keras.layers.dot")
def dot(inputs: Any, axes: int | Sequence[int], normalize: bool = False, **kwargs: Any) -> Any:
    """Call a new :class:`Dot`."""
    return Dot(axes=axes, normalize=normalize, **kwargs)(inputs)
