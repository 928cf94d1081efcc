"""Keras's plain layers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.nn import functional as F

from clara_compat.tensorflow.graph import current
from clara_compat.tensorflow.layers.arguments import activation as activation_of
from clara_compat.tensorflow.layers.arguments import is_channels_first
from clara_compat.tensorflow.layers.base import Layer
from clara_compat.tensorflow.layers.spec import InputSpec
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import symbol
from clara_compat.tensorflow.shapes import sizes

__all__ = ["Activation", "Dense", "Flatten", "Lambda", "Permute", "RepeatVector", "Reshape"]


@symbol("keras.layers.Dense")
class Dense(Layer):
    """A matrix and an offset on the last axis.

    Args:
        units: size of the last axis that comes out.
        activation: a name, a function or a layer.
        use_bias: whether there is an offset.
        kernel_initializer: a name, a class or an object.
        bias_initializer: a name, a class or an object.
        kernel_regularizer: a name or an object.
        bias_regularizer: a name or an object.
        activity_regularizer: a name or an object.
        kernel_constraint: a name or an object.
        bias_constraint: a name or an object.
        **kwargs: what every layer takes.
    """

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.units = int(units)
        self.activation = activation_of(activation)
        self.use_bias = use_bias
        self.kernel_initializer = kernel_initializer
        self.bias_initializer = bias_initializer
        self.kernel_regularizer = kernel_regularizer
        self.kernel_constraint = kernel_constraint
        self.bias_regularizer = bias_regularizer
        self.bias_constraint = bias_constraint
        self.input_spec = InputSpec(min_ndim=2)

    def build(self, input_shape: Any) -> None:
        """Make the matrix and the offset."""
        width = int(input_shape[-1])
        self.input_spec = InputSpec(min_ndim=2, axes={-1: width})
        self.kernel = self.add_weight(
            name="kernel",
            shape=(width, self.units),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(self.units,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.built = True

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the product."""
        outputs = F.linear(inputs, self.kernel.t(), self.bias)
        return outputs if self.activation is None else self.activation(outputs)


@symbol("keras.layers.Activation")
class Activation(Layer):
    """A function as a layer.

    Args:
        activation: a name or a function.
        **kwargs: what every layer takes.
    """

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activation_of(activation)

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the function's value."""
        return inputs if self.activation is None else self.activation(inputs)


@symbol("keras.layers.Flatten")
class Flatten(Layer):
    """One axis behind the batch's; channels stand last before that, wherever they were.

    Args:
        data_format: None: what ``K.image_data_format()`` says.
        **kwargs: what every layer takes.
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.channels_first = is_channels_first(data_format)
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return (N, all the rest)."""
        moved = inputs.movedim(1, -1) if self.channels_first and inputs.ndim > 1 else inputs
        return moved.reshape(inputs.shape[0], -1)


@symbol("keras.layers.Reshape")
class Reshape(Layer):
    """Other sizes.

    Args:
        target_shape: without the batch's; one may be -1.
        **kwargs: what every layer takes.
    """

    def __init__(self, target_shape: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.target_shape = tuple(sizes(target_shape))

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the tensor with other sizes."""
        have, wanted = math.prod(inputs.shape[1:]), math.prod(abs(size) for size in self.target_shape)
        open_axes = self.target_shape.count(-1)
        if open_axes > 1 or (have != wanted if not open_axes else have % max(wanted, 1)):
            raise refusal(
                f"layer '{self.name}' cannot make {list(self.target_shape)} of the shape {list(inputs.shape)} (the "
                "batch's size stays)"
            )
        return inputs.reshape(inputs.shape[0], *self.target_shape)


@symbol("keras.layers.Permute")
class Permute(Layer):
    """The axes behind the batch's in another order.

    Args:
        dims: counted from 1.
        **kwargs: what every layer takes.
    """

    def __init__(self, dims: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dims = tuple(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise refusal(f"dims of layer '{self.name}' is {dims!r}, expected each of 1 to {len(self.dims)} once")
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the tensor with its axes in the new order."""
        return inputs.permute(0, *self.dims)


@symbol("keras.layers.RepeatVector")
class RepeatVector(Layer):
    """A vector several times.

    Args:
        n: how often.
        **kwargs: what every layer takes.
    """

    def __init__(self, n: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n = n
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return (N, n, C)."""
        return inputs.unsqueeze(1).repeat(1, self.n, 1)


@symbol("keras.layers.Lambda")
class Lambda(Layer):
    """A function as a layer.

    Args:
        function: of the inputs.
        output_shape: not needed.
        mask: not provided.
        arguments: keyword arguments of the function.
        **kwargs: what every layer takes.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        mask: Any = None,
        arguments: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.function = function
        self.arguments = dict(arguments or {})
        code = getattr(function, "__code__", None)
        names = () if code is None else code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        self._wants_training = "training" in names

    def call(self, inputs: Any, mask: Any = None, training: Any = None) -> Any:
        """Return what the function returns."""
        arguments = dict(self.arguments)
        if self._wants_training:
            arguments["training"] = training
        return self.function(inputs, **arguments)


@symbol("keras.layers.ActivityRegularization")
class ActivityRegularization(Layer):
    """Nothing but a penalty on what goes through.

    Args:
        l1: factor of the sum of absolute values.
        l2: factor of the sum of squares.
        **kwargs: what every layer takes.
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        super().__init__(
            activity_regularizer={"class_name": "L1L2", "config": {"l1": l1, "l2": l2}},
            **kwargs,
        )


@symbol("keras.layers.TimeDistributed")
class TimeDistributed(Layer):
    """A layer on every step of the second axis.

    Args:
        layer: a layer of Keras.
        **kwargs: what every layer takes.
    """

    def __init__(self, layer: Layer, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.layer = layer
        self.input_spec = InputSpec(min_ndim=3)

    def build(self, input_shape: Any) -> None:
        """Make the weights of the layer; they carry only this one's name, as in Keras."""
        inner = self.layer.made_in(current("a layer"))
        if not inner.built:
            self.layer.build(type(input_shape)([input_shape[0], *input_shape[2:]]))
            inner.built = True
        self.built = True

    def call(self, inputs: torch.Tensor, training: Any = None, mask: Any = None) -> torch.Tensor:
        """Return the outputs, step by step."""
        found = self.layer(inputs.flatten(0, 1))
        return found.unflatten(0, inputs.shape[:2])
