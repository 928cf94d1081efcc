"""``tf.nn``'s means, variances and normalisations."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional as F

from clara_compat.tensorflow.convert import as_tensor, tensors
from clara_compat.tensorflow.normalization import batch_normalization as normalized
from clara_compat.tensorflow.ops.arguments import axes_of, given, narrow_again, wide
from clara_compat.tensorflow.ops.convolutions import is_channels_first
from clara_compat.tensorflow.registry import symbol

__all__ = ["batch_normalization", "moments"]


@symbol("nn.moments")
def moments(
    x: Any,
    axes: Any,
    shift: Any = None,
    name: str | None = None,
    keep_dims: bool | None = None,
    keepdims: bool | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return mean and (biased) variance over axes."""
    found, keep = wide(x), bool(given(keepdims, keep_dims))
    reduced = axes_of(axes, found.ndim, "tf.nn.moments")
    if not reduced:
        return narrow_again(found, x), torch.zeros_like(as_tensor(x))
    mean = found.mean(reduced, True)
    variance = torch.square(found - mean.detach()).mean(reduced, keep)
    return narrow_again(mean if keep else mean.reshape(variance.shape), x), narrow_again(variance, x)


@symbol("nn.batch_normalization")
def batch_normalization(
    x: Any,
    mean: Any,
    variance: Any,
    offset: Any,
    scale: Any,
    variance_epsilon: float,
    name: str | None = None,
) -> torch.Tensor:
    """Return values normalised with a given mean and variance, then scaled and moved."""
    inverse = torch.rsqrt(as_tensor(variance) + variance_epsilon)
    if scale is not None:
        inverse = inverse * scale
    moved = -mean * inverse if offset is None else offset - mean * inverse
    return as_tensor(x) * inverse + moved


@symbol("nn.fused_batch_norm")
def fused_batch_norm(
    x: Any,
    scale: Any,
    offset: Any,
    mean: Any = None,
    variance: Any = None,
    epsilon: float = 0.001,
    data_format: str = "NHWC",
    is_training: bool = True,
    name: str | None = None,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return normalised values with the mean and variance: the batch's (the variance unbiased) or the given ones."""
    found, gamma, beta = tensors(x, scale, offset)
    axis = 1 if is_channels_first(data_format) else -1
    if is_training:
        means, variances = torch.zeros_like(gamma.detach()), torch.ones_like(gamma.detach())
        momentum = 0.0
    else:
        means, variances = tensors(mean, variance)
        momentum = 1.0
    result = normalized(
        found,
        means,
        variances,
        gamma,
        beta,
        axis=axis,
        training=bool(is_training),
        momentum=momentum,
        epsilon=epsilon,
        unbiased=True,
    )
    return result, means, variances


@symbol("nn.lrn", "nn.local_response_normalization")
def local_response_normalization(
    input: Any,
    depth_radius: int = 5,
    bias: float = 1,
    alpha: float = 1,
    beta: float = 0.5,
    name: str | None = None,
) -> torch.Tensor:
    """Return values divided by a power of the squares of their neighbours along the last axis."""
    x = as_tensor(input)
    squares = F.pad(x * x, [depth_radius, depth_radius])
    total = squares.unfold(-1, 2 * depth_radius + 1, 1).sum(-1)
    return x / (bias + alpha * total).pow(beta)


@symbol("nn.zero_fraction", "math.zero_fraction")
def zero_fraction(value: Any, name: str | None = None) -> torch.Tensor:
    """Return the share of values that are 0."""
    return (as_tensor(value) == 0).float().mean()
