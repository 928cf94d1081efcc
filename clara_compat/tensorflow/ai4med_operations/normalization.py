"""``ai4med.operations.normalization``: batch and group normalisation on a channel axis."""

from __future__ import annotations

from typing import Any

import torch

from clara_compat.tensorflow import normalization as functions
from clara_compat.tensorflow.ai4med_operations.layouts import channel_axis, image
from clara_compat.tensorflow.graph import current
from clara_compat.tensorflow.initializers.laws import Ones, Zeros
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import symbol
from clara_compat.tensorflow.scopes import get_variable, variable_scope

__all__ = ["batch_norm", "group_norm", "instance_norm"]

_ONES, _ZEROS = Ones(), Zeros()


@symbol(
    "ai4med.operations.normalization.group_norm",
    note="assumed: its arguments, eps 1e-5, and the variables gamma and beta of the scope.",
)
def group_norm(
    x: Any, groups: int = 8, data_format: str = "channels_first", eps: float = 1e-5, scope: str = "group_norm"
) -> torch.Tensor:
    """Return group normalisation over all spatial axes.

    Args:
        x: (N, C, spatial...), or (N, spatial..., C), of 2 or 3 spatial axes.
        groups: number of groups; as many as there are channels, if there are fewer.
        data_format: ``channels_first`` or ``channels_last``.
        eps: added to the variance.
        scope: variable scope of ``gamma`` and ``beta``, of one value for each channel.

    Raises:
        ClaraError: the channels cannot be split so.
    """
    x = image(x)
    axis = channel_axis(data_format, x.ndim)
    channels = x.shape[axis]
    groups = min(groups, channels)
    if channels % groups:
        raise refusal(f"{channels} channels cannot be split into {groups} groups: the shape is {list(x.shape)}")
    with variable_scope(scope):
        gamma = get_variable("gamma", [channels], initializer=_ONES)
        beta = get_variable("beta", [channels], initializer=_ZEROS)
    first = x.movedim(axis, 1)
    return torch.group_norm(first, groups, gamma, beta, eps, torch.backends.cudnn.enabled).movedim(1, axis)


@symbol(
    "ai4med.operations.normalization.instance_norm",
    note="assumed: beside group_norm, with the same arguments and one channel in each group.",
)
def instance_norm(
    x: Any, data_format: str = "channels_first", eps: float = 1e-5, scope: str = "instance_norm"
) -> torch.Tensor:
    """Return the normalisation of each channel by itself; see :func:`group_norm`."""
    x = image(x)
    return group_norm(x, int(x.shape[channel_axis(data_format, x.ndim)]), data_format, eps, scope)


@symbol(
    "ai4med.operations.normalization.batch_norm",
    note="assumed: momentum, epsilon and the names of the variables are those of tf.layers.batch_normalization.",
)
def batch_norm(
    x: Any,
    training: Any = False,
    data_format: str = "channels_first",
    momentum: float = 0.99,
    epsilon: float = 1e-3,
    scope: str | None = None,
) -> torch.Tensor:
    """Return batch normalisation.

    Args:
        x: (N, C, spatial...), or (N, spatial..., C), of 2 or 3 spatial axes.
        training: whether to normalise by the batch, whose values then go into the moving averages.
        data_format: ``channels_first`` or ``channels_last``.
        momentum: what the moving averages keep of their old values.
        epsilon: added to the variance.
        scope: variable scope; None: ``batch_normalization``, numbered when it is there.
    """
    x = image(x)
    axis = channel_axis(data_format, x.ndim)
    graph = current("batch normalisation")
    shape = [x.shape[axis]]
    with variable_scope(scope, "batch_normalization"):
        gamma = get_variable("gamma", shape, initializer=_ONES)
        beta = get_variable("beta", shape, initializer=_ZEROS)
        mean = get_variable("moving_mean", shape, initializer=_ZEROS, trainable=False)
        variance = get_variable("moving_variance", shape, initializer=_ONES, trainable=False)
    return functions.batch_normalization(
        x,
        mean,
        variance,
        gamma,
        beta,
        axis=axis,
        training=bool(training),
        momentum=momentum,
        epsilon=epsilon,
        update=graph.training and not graph.building,
    )
