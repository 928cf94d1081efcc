"""Keras's normalising layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.nn import functional as F

from clara_compat.tensorflow.graph import current
from clara_compat.tensorflow.layers.arguments import is_true
from clara_compat.tensorflow.layers.base import Layer
from clara_compat.tensorflow.layers.spec import InputSpec
from clara_compat.tensorflow.normalization import batch_normalization
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import symbol

__all__ = ["BatchNormalization", "LayerNormalization"]

_NOT_PROVIDED = ("renorm", "virtual_batch_size", "adjustment")


@symbol(
    "keras.layers.BatchNormalization",
    note="The moving averages change only when `updates` of the layer is read, as in TensorFlow 1, where nobody else "
    "runs them: return it from get_update_ops. renorm, virtual_batch_size and adjustment are not provided.",
)
class BatchNormalization(Layer):
    """Batch normalisation; see Keras's.

    Args:
        axis: of the channels.
        momentum: what the moving averages keep of their old values.
        epsilon: added to the variance.
        center: whether there is an offset.
        scale: whether there is a factor.
        beta_initializer: of the offset.
        gamma_initializer: of the factor.
        moving_mean_initializer: of the moving mean.
        moving_variance_initializer: of the moving variance.
        beta_regularizer: of the offset.
        gamma_regularizer: of the factor.
        beta_constraint: a name or an object.
        gamma_constraint: a name or an object.
        renorm: True is refused.
        renorm_clipping: goes with it.
        renorm_momentum: goes with it.
        fused: False: the moving variance takes the biased variance for four axes too.
        **kwargs: what every layer takes.
    """

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        renorm: bool = False,
        renorm_clipping: Any = None,
        renorm_momentum: float = 0.99,
        fused: bool | None = None,
        **kwargs: Any,
    ) -> None:
        given = {"renorm": renorm, **{name: kwargs.pop(name, None) for name in _NOT_PROVIDED[1:]}}
        for name, value in given.items():
            if value:
                raise refusal(f"BatchNormalization({name}=...) is not provided")
        super().__init__(**kwargs)
        axes = [axis] if hasattr(axis, "__index__") else list(axis)
        if len(axes) != 1:
            raise refusal(f"layer '{self.name}' normalises the axes {axes}, expected one")
        self.axis = int(axes[0])
        self.momentum = momentum
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self.beta_initializer = beta_initializer
        self.gamma_initializer = gamma_initializer
        self.moving_mean_initializer = moving_mean_initializer
        self.moving_variance_initializer = moving_variance_initializer
        self.beta_regularizer = beta_regularizer
        self.beta_constraint = beta_constraint
        self.gamma_regularizer = gamma_regularizer
        self.gamma_constraint = gamma_constraint
        self.fused = fused

    def build(self, input_shape: Any) -> None:
        """Make factor, offset and moving averages."""
        ndim = len(input_shape)
        if not -ndim <= self.axis < ndim:
            raise refusal(f"layer '{self.name}' normalises axis {self.axis} of the shape {input_shape}")
        axis = self.axis % ndim
        channels = int(input_shape[axis])
        self.input_spec = InputSpec(ndim=ndim, axes={axis: channels})

        def weight(
            name: str, initializer: Any, regularizer: Any = None, trainable: bool = True, constraint: Any = None
        ) -> Any:
            return self.add_weight(
                name=name,
                shape=(channels,),
                dtype="float32",
                initializer=initializer,
                regularizer=regularizer,
                trainable=trainable,
                constraint=constraint,
            )

        self.gamma = None
        if self.scale:
            self.gamma = weight(
                "gamma", self.gamma_initializer, self.gamma_regularizer, constraint=self.gamma_constraint
            )
        self.beta = None
        if self.center:
            self.beta = weight("beta", self.beta_initializer, self.beta_regularizer, constraint=self.beta_constraint)
        self.moving_mean = weight("moving_mean", self.moving_mean_initializer, trainable=False)
        self.moving_variance = weight("moving_variance", self.moving_variance_initializer, trainable=False)
        self.built = True

    def call(self, inputs: torch.Tensor, training: Any = None) -> torch.Tensor:
        """Return the normalised tensor."""
        is_training = is_true(training)
        updates: list[Callable[[], None]] = []
        found = batch_normalization(
            inputs,
            self.moving_mean,
            self.moving_variance,
            self.gamma,
            self.beta,
            axis=self.axis,
            training=is_training,
            momentum=self.momentum,
            epsilon=self.epsilon,
            unbiased=False if self.fused is False else None,
            updates=updates,
        )
        graph = current("batch normalisation")
        if updates and not graph.building and not graph.standing_in:
            self.add_update(_Once(updates[0], [self.moving_mean, self.moving_variance]))
        return found


class _Once:
    """A change of the moving averages that is made by the first call."""

    def __init__(self, change: Callable[[], None], changed: list[torch.Tensor]) -> None:
        self._change: Callable[[], None] | None = change
        self._changed = changed

    def __call__(self) -> list[torch.Tensor]:
        if self._change is not None:
            self._change()
            self._change = None
        return self._changed


@symbol("keras.layers.LayerNormalization")
class LayerNormalization(Layer):
    """Every item by its own mean and variance over some axes.

    Args:
        axis: one or several.
        epsilon: added to the variance.
        center: whether there is an offset.
        scale: whether there is a factor.
        beta_initializer: of the offset.
        gamma_initializer: of the factor.
        beta_regularizer: of the offset.
        gamma_regularizer: of the factor.
        beta_constraint: a name or an object.
        gamma_constraint: a name or an object.
        **kwargs: what every layer takes.
    """

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.axis = [axis] if hasattr(axis, "__index__") else list(axis)
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self.beta_initializer = beta_initializer
        self.gamma_initializer = gamma_initializer
        self.beta_regularizer = beta_regularizer
        self.beta_constraint = beta_constraint
        self.gamma_regularizer = gamma_regularizer
        self.gamma_constraint = gamma_constraint

    def build(self, input_shape: Any) -> None:
        """Make factor and offset, of the sizes of the axes."""
        axes = sorted(int(axis) % len(input_shape) for axis in self.axis)
        shape = [int(input_shape[axis]) for axis in axes]
        self.gamma = self.beta = None
        if self.scale:
            self.gamma = self.add_weight(
                name="gamma",
                shape=shape,
                initializer=self.gamma_initializer,
                regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint,
            )
        if self.center:
            self.beta = self.add_weight(
                name="beta",
                shape=shape,
                initializer=self.beta_initializer,
                regularizer=self.beta_regularizer,
                constraint=self.beta_constraint,
            )
        self.built = True

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the normalised tensor."""
        axes = sorted(int(axis) % inputs.ndim for axis in self.axis)
        last = list(range(inputs.ndim - len(axes), inputs.ndim))
        moved = inputs if axes == last else inputs.movedim(axes, last)
        found = F.layer_norm(moved, moved.shape[inputs.ndim - len(axes) :], self.gamma, self.beta, self.epsilon)
        return found if axes == last else found.movedim(last, axes)
