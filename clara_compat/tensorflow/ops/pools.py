"""``tf.nn``'s pooling."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from clara_compat.tensorflow.convert import as_tensor
from clara_compat.tensorflow.convolution import average_pool, max_pool
from clara_compat.tensorflow.ops.arguments import given
from clara_compat.tensorflow.ops.convolutions import is_channels_first, spatial
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import register, symbol
from clara_compat.tensorflow.shapes import sizes

__all__: list[str] = []

Pool = Callable[..., torch.Tensor]


def _pooling(function: Pool, dims: int | None) -> Pool:
    def pool(
        value: Any = None,
        ksize: Any = None,
        strides: Any = None,
        padding: str = "VALID",
        data_format: str | None = None,
        name: str | None = None,
        input: Any = None,
    ) -> torch.Tensor:
        x = as_tensor(given(value, input))
        axes, first = dims or x.ndim - 2, is_channels_first(data_format)
        windows = spatial(ksize, axes, first, "ksize")
        return function(x, windows, spatial(strides, axes, first, "strides"), padding, channels_first=first)

    return pool


for _kind, _pool in (("max", max_pool), ("avg", average_pool)):
    register(_pooling(_pool, 2), f"nn.{_kind}_pool")
    for _dims in (1, 2, 3):
        register(_pooling(_pool, _dims), f"nn.{_kind}_pool{_dims}d")


@symbol("nn.pool")
def pool(
    input: Any,
    window_shape: Sequence[int],
    pooling_type: str,
    padding: str,
    dilation_rate: Any = None,
    strides: Any = None,
    name: str | None = None,
    data_format: str | None = None,
    dilations: Any = None,
) -> torch.Tensor:
    """Return the largest value or the mean (``pooling_type`` MAX or AVG) of each window.

    Raises:
        ClaraError: dilated windows are asked for, or another kind.
    """
    if any(one != 1 for one in sizes(given(dilation_rate, dilations, 1))):
        raise refusal("tf.nn.pool with dilated windows is not provided")
    if pooling_type not in ("MAX", "AVG"):
        raise refusal(f"tf.nn.pool: pooling_type is '{pooling_type}', expected MAX or AVG")
    function = max_pool if pooling_type == "MAX" else average_pool
    first, x = is_channels_first(data_format), as_tensor(input)
    return function(x, sizes(window_shape), sizes(given(strides, 1)), padding, channels_first=first)
