"""slim's normalisations of single images: over layers, groups of channels, and channels."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch.nn import functional as F

from clara_compat.tensorflow.contrib.parts import (
    Activation,
    Collections,
    LayerVariables,
    finished,
    floating,
    provided,
)
from clara_compat.tensorflow.initializers.laws import Ones, Zeros
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.scopes import variable_scope

__all__ = ["group_norm", "instance_norm", "layer_norm", "unit_norm"]

_FIRST_VALUES = {"beta": Zeros(), "gamma": Ones()}


@provided("layer_norm")
def layer_norm(
    inputs: Any,
    center: bool = True,
    scale: bool = True,
    activation_fn: Activation = None,
    reuse: Any = None,
    variables_collections: Collections = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    begin_norm_axis: int = 1,
    begin_params_axis: int = -1,
    scope: Any = None,
) -> torch.Tensor:
    """Return the inputs normalised over their axes from one on, with an offset and a factor for those from another on.

    Raises:
        ClaraError: the inputs do not have these axes.
    """
    inputs = floating(inputs)
    if max(begin_norm_axis, begin_params_axis) >= inputs.ndim:
        raise refusal(
            f"begin_norm_axis ({begin_norm_axis}) and begin_params_axis ({begin_params_axis}) must be axes of the "
            f"inputs, whose shape is {list(inputs.shape)}"
        )
    with variable_scope(scope, "LayerNorm", reuse=reuse) as opened:
        shape = list(inputs.shape[begin_params_axis:])
        beta, gamma = _parameters(inputs, shape, center, scale, None, variables_collections, trainable)
        epsilon = 1e-3 if inputs.dtype == torch.float16 else 1e-12
        outputs = F.layer_norm(inputs, inputs.shape[begin_norm_axis:], eps=epsilon)
        outputs = outputs if gamma is None else outputs * gamma
        outputs = outputs if beta is None else outputs + beta
        return finished(outputs, opened, activation_fn, outputs_collections)


@provided("instance_norm")
def instance_norm(
    inputs: Any,
    center: bool = True,
    scale: bool = True,
    epsilon: float = 1e-6,
    activation_fn: Activation = None,
    param_initializers: Mapping[str, Any] | None = None,
    reuse: Any = None,
    variables_collections: Collections = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    data_format: str = "NHWC",
    scope: Any = None,
) -> torch.Tensor:
    """Return the inputs normalised channel by channel; ``data_format`` whatever the number of axes.

    Raises:
        ClaraError: the layout is unknown.
    """
    inputs = floating(inputs)
    if data_format not in ("NHWC", "NCHW"):
        raise refusal(f"data_format is {data_format!r}, expected 'NHWC' or 'NCHW'")
    axis = 1 if data_format == "NCHW" else inputs.ndim - 1
    spatial = [one for one in range(1, inputs.ndim) if one != axis]
    with variable_scope(scope, "InstanceNorm", reuse=reuse) as opened:
        channels = inputs.shape[axis]
        beta, gamma = _parameters(
            inputs, [channels], center, scale, param_initializers, variables_collections, trainable
        )
        outputs = _grouped(inputs, channels, axis, spatial, gamma, beta, epsilon)
        return finished(outputs, opened, activation_fn, outputs_collections)


@provided("group_norm")
def group_norm(
    inputs: Any,
    groups: int = 32,
    channels_axis: int = -1,
    reduction_axes: Sequence[int] = (-3, -2),
    center: bool = True,
    scale: bool = True,
    epsilon: float = 1e-6,
    activation_fn: Activation = None,
    param_initializers: Mapping[str, Any] | None = None,
    reuse: Any = None,
    variables_collections: Collections = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    scope: Any = None,
    mean_close_to_zero: bool = False,
) -> torch.Tensor:
    """Return the inputs normalised over groups of channels and the ``reduction_axes``; other axes stay apart.

    Raises:
        ClaraError: the channels cannot be split so, or the axes contradict each other.
    """
    inputs = floating(inputs)
    axes = [*reduction_axes, channels_axis]
    if any(not -inputs.ndim <= axis < inputs.ndim for axis in axes):
        raise refusal(f"the axes {axes} are not all axes of the inputs, whose shape is {list(inputs.shape)}")
    axis = channels_axis % inputs.ndim
    reduced = [one % inputs.ndim for one in reduction_axes]
    if axis in reduced:
        raise refusal(f"channels_axis {channels_axis} must not be one of reduction_axes {list(reduction_axes)}")
    channels = inputs.shape[axis]
    if channels % groups:
        raise refusal(
            f"{channels} channels cannot be split into {groups} groups: the inputs' shape is "
            f"{list(inputs.shape)}, their channels taken from axis {channels_axis}"
        )
    with variable_scope(scope, "GroupNorm", reuse=reuse) as opened:
        beta, gamma = _parameters(
            inputs, [channels], center, scale, param_initializers, variables_collections, trainable
        )
        outputs = _grouped(inputs, groups, axis, reduced, gamma, beta, epsilon)
        return finished(outputs, opened, activation_fn, outputs_collections)


@provided("unit_norm")
def unit_norm(inputs: Any, dim: int, epsilon: float = 1e-7, scope: Any = None) -> torch.Tensor:
    """Return the inputs divided by their length along an axis.

    Raises:
        ClaraError: there is no such axis.
    """
    inputs = floating(inputs)
    if not 0 <= dim < inputs.ndim:
        raise refusal(f"dim is {dim}, expected an axis of the inputs, whose shape is {list(inputs.shape)}")
    with variable_scope(scope, "UnitNorm"):
        return inputs / (epsilon + inputs.square().sum(dim, keepdim=True)).sqrt()


def _parameters(
    inputs: torch.Tensor,
    shape: list[int],
    center: bool,
    scale: bool,
    initializers: Mapping[str, Any] | None,
    collections: Collections,
    trainable: bool,
) -> list[torch.Tensor | None]:
    """Return the offset and the factor, or None for what is not used."""
    variable = LayerVariables(inputs.dtype, collections, trainable)
    given = initializers or {}
    return [
        variable(name, shape, given.get(name, first)) if used else None
        for (name, first), used in zip(_FIRST_VALUES.items(), (center, scale), strict=True)
    ]


def _grouped(
    inputs: torch.Tensor,
    groups: int,
    axis: int,
    reduced: Sequence[int],
    gamma: torch.Tensor | None,
    beta: torch.Tensor | None,
    epsilon: float,
) -> torch.Tensor:
    """Normalise over groups of the channels of an axis and over reduced axes, every place of the others by itself."""
    apart = [one for one in range(inputs.ndim) if one != axis and one not in reduced]
    order = [*apart, axis, *reduced]
    turned = inputs.permute(order)
    if gamma is None and beta is not None:  # torch has no gradient of an offset alone
        gamma = torch.ones_like(beta)
    flat = turned.reshape(math.prod(turned.shape[: len(apart)]), turned.shape[len(apart)], -1)
    outputs = torch.group_norm(flat, groups, gamma, beta, epsilon, torch.backends.cudnn.enabled)
    return outputs.reshape(turned.shape).permute([order.index(one) for one in range(inputs.ndim)])
