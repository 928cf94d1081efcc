"""The classes and functions of ``tf.layers``: Keras's layers with other defaults, in variable scopes."""

from __future__ import annotations

import inspect
from typing import Any

from clara_compat.errors import suggestion
from clara_compat.tensorflow.layers import convolution, core, dropping, normalization, pooling, separable, transposed
from clara_compat.tensorflow.layers.base import Layer as KerasLayer
from clara_compat.tensorflow.layers.tf1.base import Layer
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import register

__all__: list[str] = []

_LAST: dict[str, Any] = {"data_format": "channels_last"}
_KERNEL: dict[str, Any] = {**_LAST, "kernel_initializer": None}
_SEPARABLE: dict[str, Any] = {**_LAST, "depthwise_initializer": None, "pointwise_initializer": None}

_ENDING = "bias_constraint trainable name reuse"
_CONV = (
    "filters kernel_size strides padding data_format dilation_rate activation use_bias kernel_initializer "
    f"bias_initializer kernel_regularizer bias_regularizer activity_regularizer kernel_constraint {_ENDING}"
)
_SEPARABLE_CONV = (
    "filters kernel_size strides padding data_format dilation_rate depth_multiplier activation use_bias "
    "depthwise_initializer pointwise_initializer bias_initializer depthwise_regularizer pointwise_regularizer "
    f"bias_regularizer activity_regularizer depthwise_constraint pointwise_constraint {_ENDING}"
)
_NORM = (
    "axis momentum epsilon center scale beta_initializer gamma_initializer moving_mean_initializer "
    "moving_variance_initializer beta_regularizer gamma_regularizer beta_constraint gamma_constraint training "
    "trainable name reuse renorm renorm_clipping renorm_momentum fused virtual_batch_size adjustment"
)
_POOL = "pool_size strides padding data_format name"


def _refused(wrong: list[str], names: list[str], taken: set[str]) -> str:
    """Say what is wrong with a call's arguments, as Python does of a function."""
    if not wrong:
        return f"takes at most {len(names) + 1} arguments"
    name = wrong[0]
    if name in taken:
        return f"is given the argument '{name}' twice, by position and by name"
    return f"does not take the argument '{name}'{suggestion(name, names)}"


def _provide(function: str, keras: type[KerasLayer], order: str, **defaults: Any) -> None:
    """Provide a class of ``tf.layers`` and the function that makes and calls one.

    Args:
        function: the function's name.
        keras: the class of Keras that does the same.
        order: the names of the function's arguments behind ``inputs``.
        **defaults: arguments whose defaults differ from Keras's.
    """
    taken = list(inspect.signature(keras.__init__).parameters)[1:]

    def begin(self: Any, *args: Any, **kwargs: Any) -> None:
        given = set(taken[: len(args)]) | kwargs.keys()
        keras.__init__(self, *args, **{key: value for key, value in defaults.items() if key not in given} | kwargs)

    names = order.split()
    doc = f"{(keras.__doc__ or '').splitlines()[0]} Variables are named by the variable scope."
    cls = type(keras.__name__, (keras, Layer), {"__init__": begin, "__doc__": doc, "__module__": __name__})

    def call(inputs: Any, *args: Any, **kwargs: Any) -> Any:
        known = dict(zip(names, args, strict=False))
        wrong = sorted((known.keys() & kwargs.keys()) | (kwargs.keys() - set(names)))
        if wrong or len(args) > len(names):
            raise refusal(f"tf.layers.{function} {_refused(wrong, names, known.keys() & kwargs.keys())}")
        known |= kwargs
        when = {"training": known.pop("training", False)} if "training" in names else {}
        if "reuse" in names:
            known |= {"_reuse": known.pop("reuse", None), "_scope": known.get("name")}
        return cls(**known)(inputs, **when)

    call.__name__, call.__doc__ = function, f"Make a ``{keras.__name__}`` of tf.layers and call it."
    plain = inspect.Parameter.POSITIONAL_OR_KEYWORD
    call.__signature__ = inspect.Signature([inspect.Parameter(one, plain) for one in ("inputs", *names)])  # type: ignore[attr-defined]
    register(cls, f"layers.{keras.__name__}")
    register(call, f"layers.{function}")


_provide("conv1d", convolution.Conv1D, _CONV, **_KERNEL)
_provide("conv2d", convolution.Conv2D, _CONV, **_KERNEL)
_provide("conv3d", convolution.Conv3D, _CONV, **_KERNEL)
_provide("conv2d_transpose", transposed.Conv2DTranspose, _CONV.replace("dilation_rate ", ""), **_KERNEL)
_provide("conv3d_transpose", transposed.Conv3DTranspose, _CONV.replace("dilation_rate ", ""), **_KERNEL)
_provide("separable_conv1d", separable.SeparableConv1D, _SEPARABLE_CONV, **_SEPARABLE)
_provide("separable_conv2d", separable.SeparableConv2D, _SEPARABLE_CONV, **_SEPARABLE)
_provide(
    "dense",
    core.Dense,
    "units activation use_bias kernel_initializer bias_initializer kernel_regularizer bias_regularizer "
    f"activity_regularizer kernel_constraint {_ENDING}",
    kernel_initializer=None,
)
_provide("batch_normalization", normalization.BatchNormalization, _NORM)
_provide("dropout", dropping.Dropout, "rate noise_shape seed training name", rate=0.5)
_provide("flatten", core.Flatten, "name data_format", **_LAST)
_provide("max_pooling1d", pooling.MaxPooling1D, _POOL, **_LAST)
_provide("max_pooling2d", pooling.MaxPooling2D, _POOL, **_LAST)
_provide("max_pooling3d", pooling.MaxPooling3D, _POOL, **_LAST)
_provide("average_pooling1d", pooling.AveragePooling1D, _POOL, **_LAST)
_provide("average_pooling2d", pooling.AveragePooling2D, _POOL, **_LAST)
_provide("average_pooling3d", pooling.AveragePooling3D, _POOL, **_LAST)
