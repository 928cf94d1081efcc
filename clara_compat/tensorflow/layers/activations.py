"""Keras's activations that are layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn import functional as F

from clara_compat.tensorflow.layers.base import Layer
from clara_compat.tensorflow.layers.spec import InputSpec
from clara_compat.tensorflow.ops.activations import softmax
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import symbol

__all__ = ["ELU", "LeakyReLU", "PReLU", "ReLU", "Softmax", "ThresholdedReLU"]


@symbol("keras.layers.ReLU")
class ReLU(Layer):
    """The positive part, with options.

    Args:
        max_value: the largest value that comes out.
        negative_slope: factor below the threshold.
        threshold: where it begins.
        **kwargs: what every layer takes.

    Raises:
        ClaraError: ``max_value`` or ``negative_slope`` is negative.
    """

    def __init__(
        self, max_value: float | None = None, negative_slope: float = 0.0, threshold: float = 0.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.max_value = max_value
        self.negative_slope = negative_slope or 0.0
        self.threshold = threshold or 0.0
        if (max_value is not None and max_value < 0) or self.negative_slope < 0:
            raise refusal(f"layer '{self.name}' has a max_value or negative_slope below 0")

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the function's value."""
        if not self.negative_slope and not self.threshold:
            return F.relu(inputs) if self.max_value is None else F.relu(inputs).clamp(max=self.max_value)
        kept = inputs if self.max_value is None else inputs.clamp(max=self.max_value)
        below = self.negative_slope * (inputs - self.threshold)
        return torch.where(inputs >= self.threshold, kept, below)


@symbol("keras.layers.LeakyReLU")
class LeakyReLU(Layer):
    """A smaller slope below zero.

    Args:
        alpha: that slope.
        **kwargs: what every layer takes.
    """

    def __init__(self, alpha: float = 0.3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = float(alpha)

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the function's value."""
        return F.leaky_relu(inputs, self.alpha)


@symbol("keras.layers.PReLU")
class PReLU(Layer):
    """A trained slope below zero.

    Args:
        alpha_initializer: a name, a class or an object.
        alpha_regularizer: a name or an object.
        alpha_constraint: a name or an object.
        shared_axes: axes along which the slope is the same, counted with the batch's.
        **kwargs: what every layer takes.
    """

    def __init__(
        self,
        alpha_initializer: Any = "zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: int | Sequence[int] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.alpha_initializer = alpha_initializer
        self.alpha_regularizer = alpha_regularizer
        self.alpha_constraint = alpha_constraint
        self.shared_axes = (
            [] if shared_axes is None else [shared_axes] if isinstance(shared_axes, int) else list(shared_axes)
        )

    def build(self, input_shape: Any) -> None:
        """Make the slopes."""
        shape = [int(size) for size in input_shape[1:]]
        for axis in self.shared_axes:
            shape[axis - 1] = 1
        self.alpha = self.add_weight(
            name="alpha",
            shape=shape,
            initializer=self.alpha_initializer,
            regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
        )
        axes = {axis: size for axis, size in enumerate(shape, 1) if axis not in self.shared_axes}
        self.input_spec = InputSpec(ndim=len(input_shape), axes=axes)
        self.built = True

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the function's value."""
        return F.relu(inputs) - self.alpha.to(inputs.dtype) * F.relu(-inputs)


@symbol("keras.layers.ELU")
class ELU(Layer):
    """Exponential below zero.

    Args:
        alpha: its scale.
        **kwargs: what every layer takes.
    """

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = float(alpha)

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the function's value."""
        return F.elu(inputs, self.alpha)


@symbol("keras.layers.ThresholdedReLU")
class ThresholdedReLU(Layer):
    """Nothing up to a threshold.

    Args:
        theta: the threshold.
        **kwargs: what every layer takes.
    """

    def __init__(self, theta: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.theta = float(theta)

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the function's value."""
        return inputs * (inputs > self.theta)


@symbol("keras.layers.Softmax")
class Softmax(Layer):
    """Probabilities along an axis.

    Args:
        axis: which.
        **kwargs: what every layer takes.
    """

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the probabilities."""
        return softmax(inputs, self.axis)
