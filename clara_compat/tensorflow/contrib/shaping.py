"""slim's layers without variables: pooling, dropout, flattening and the like."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.nn import functional as F

from clara_compat.tensorflow.contrib.parts import channels_first, collected, finished, floating, provided
from clara_compat.tensorflow.convert import as_tensor
from clara_compat.tensorflow.convolution import average_pool, max_pool
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.scopes import name_scope, variable_scope
from clara_compat.tensorflow.shapes import sizes

__all__ = ["dropout", "flatten", "maxout", "one_hot_encoding", "pool", "softmax"]

_POOLS = {"MAX": max_pool, "AVG": average_pool}


def _pooling(dims: int, kind: str, default_scope: str) -> Callable[..., torch.Tensor]:
    def pooling(
        inputs: Any,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] = 2,
        padding: str = "VALID",
        data_format: str | None = None,
        outputs_collections: Any = None,
        scope: Any = None,
    ) -> torch.Tensor:
        """Return the largest value, or the mean, of each window.

        Raises:
            ClaraError: the arguments do not fit the inputs.
        """
        first = channels_first(data_format, dims)
        with name_scope(scope, default_scope) as opened:
            outputs = _POOLS[kind](
                floating(inputs, dims + 2), sizes(kernel_size), sizes(stride), padding, channels_first=first
            )
            return collected(outputs_collections, opened, outputs)

    name = f"{kind.lower()}_pool{dims}d"
    pooling.__name__ = pooling.__qualname__ = name
    return provided(name)(pooling)


max_pool2d = _pooling(2, "MAX", "MaxPool2D")
max_pool3d = _pooling(3, "MAX", "MaxPool3D")
avg_pool2d = _pooling(2, "AVG", "AvgPool2D")
avg_pool3d = _pooling(3, "AVG", "AvgPool3D")


@provided("pool", note="A dilation_rate other than 1 is refused.")
def pool(
    inputs: Any,
    kernel_size: int | Sequence[int],
    pooling_type: str,
    padding: str = "VALID",
    data_format: str | None = None,
    dilation_rate: int | Sequence[int] = 1,
    stride: int | Sequence[int] = 1,
    outputs_collections: Any = None,
    scope: Any = None,
) -> torch.Tensor:
    """Return the largest value (``MAX``), or the mean (``AVG``), of each window of 1, 2 or 3 axes.

    Raises:
        ClaraError: the arguments do not fit the inputs.
    """
    if str(pooling_type).upper() not in _POOLS:
        raise refusal(f"pooling_type is {pooling_type!r}, expected 'MAX' or 'AVG'")
    if max(sizes(dilation_rate)) > 1:
        raise refusal("dilation_rate of slim.pool is not provided")
    inputs = floating(inputs, 3, 4, 5)
    first = channels_first(data_format, inputs.ndim - 2)
    with name_scope(scope, f"{pooling_type.lower()}_pool") as opened:
        function = _POOLS[pooling_type.upper()]
        outputs = function(inputs, sizes(kernel_size), sizes(stride), padding, channels_first=first)
        return collected(outputs_collections, opened, outputs)


@provided("dropout", note="A seed is accepted and means nothing: the numbers are those of the run.")
def dropout(
    inputs: Any,
    keep_prob: float = 0.5,
    noise_shape: Sequence[int | None] | None = None,
    is_training: Any = True,
    outputs_collections: Any = None,
    scope: Any = None,
    seed: int | None = None,
) -> torch.Tensor:
    """Return the inputs, in training with values at random set to 0 and the others divided by ``keep_prob``.

    Raises:
        ClaraError: ``noise_shape``, in which sizes of 1 are dropped together, does not fit the inputs.
    """
    with variable_scope(scope, "Dropout") as opened:
        outputs = dropped(floating(inputs), 1.0 - float(keep_prob), bool(is_training), noise_shape)
        return finished(outputs, opened, None, outputs_collections)


def dropped(
    inputs: torch.Tensor, rate: float, training: bool, noise_shape: Sequence[int | None] | None = None
) -> torch.Tensor:
    """Return the inputs, in training with a share of ``rate`` set to 0 and the rest divided by ``1 - rate``.

    Args:
        inputs: any tensor.
        rate: the share.
        training: whether anything is done.
        noise_shape: sizes of 1 are dropped together; None among them stands for the inputs' size.

    Raises:
        ClaraError: ``noise_shape`` does not fit the inputs.
    """
    if not training or noise_shape is None:
        return F.dropout(inputs, rate, training)
    shape = [size if one is None else int(one) for one, size in zip(noise_shape, inputs.shape, strict=False)]
    if len(noise_shape) != inputs.ndim or any(
        one not in (1, size) for one, size in zip(shape, inputs.shape, strict=True)
    ):
        raise refusal(f"noise_shape {list(noise_shape)} does not fit the shape {list(inputs.shape)}")
    return inputs * F.dropout(torch.ones(shape, dtype=inputs.dtype, device=inputs.device), rate)


@provided("flatten")
def flatten(inputs: Any, outputs_collections: Any = None, scope: Any = None) -> torch.Tensor:
    """Return the inputs with all axes but the first in one."""
    with name_scope(scope, "Flatten") as opened:
        inputs = floating(inputs)
        return collected(outputs_collections, opened, inputs.reshape(inputs.shape[0], -1))


@provided("softmax")
def softmax(logits: Any, scope: Any = None) -> torch.Tensor:
    """Return the softmax over the last axis."""
    with variable_scope(scope, "softmax"):
        return floating(logits).softmax(-1)


@provided("one_hot_encoding")
def one_hot_encoding(
    labels: Any,
    num_classes: int,
    on_value: float = 1.0,
    off_value: float = 0.0,
    outputs_collections: Any = None,
    scope: Any = None,
) -> torch.Tensor:
    """Return labels with a last axis of classes; a label that is no class is ``off_value`` everywhere."""
    with name_scope(scope, "OneHotEncoding") as opened:
        labels = as_tensor(labels)
        hit = labels.long().unsqueeze(-1) == torch.arange(int(num_classes), device=labels.device)
        outputs = torch.where(hit, float(on_value), float(off_value)).float()
        return collected(outputs_collections, opened, outputs)


@provided("maxout")
def maxout(inputs: Any, num_units: int, axis: int = -1, scope: Any = None) -> torch.Tensor:
    """Return the largest value of each of ``num_units`` groups along an axis.

    Raises:
        ClaraError: the axis cannot be split so.
    """
    inputs = floating(inputs)
    if inputs.shape[axis] % num_units:
        raise refusal(f"{inputs.shape[axis]} channels cannot be split into {num_units} units")
    with variable_scope(scope, "MaxOut"):
        shape = list(inputs.shape)
        shape[axis] = num_units
        return inputs.reshape([*shape, -1]).amax(-1)
