"""``keras.backend``: activations, convolutions, pooling, normalisation, random numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional as F

from clara_compat.tensorflow.convert import as_tensor, tensors
from clara_compat.tensorflow.convolution import average_pool, convolution, convolution_transpose, max_pool
from clara_compat.tensorflow.keras_backend.program import channels_first, floatx
from clara_compat.tensorflow.ops import activations, matrices, randomness
from clara_compat.tensorflow.ops.convolutions import depthwise_kernel as grouped_kernel
from clara_compat.tensorflow.ops.creating import device
from clara_compat.tensorflow.ops.normalizing import batch_normalization as normalized
from clara_compat.tensorflow.ops.normalizing import moments
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import register, symbol
from clara_compat.tensorflow.shapes import sizes

__all__ = ["elu", "hard_sigmoid", "relu"]


@symbol("keras.backend.relu", "keras.activations.relu")
def relu(x: Any, alpha: float = 0.0, max_value: Any = None, threshold: float = 0) -> torch.Tensor:
    """Return values above a threshold as they are, at most ``max_value``; below it a slope of ``alpha``."""
    found = as_tensor(x)
    if alpha and max_value is None and threshold == 0:
        return activations.leaky_relu(found, alpha)
    result = found * (found > threshold).to(found.dtype) if threshold else F.relu(found)
    if max_value is not None:
        result = F.relu6(found) if max_value == 6 and not threshold else result.clamp(0.0, float(max_value))
    return result - alpha * F.relu(threshold - found) if alpha else result


@symbol("keras.backend.elu", "keras.activations.elu")
def elu(x: Any, alpha: float = 1.0) -> torch.Tensor:
    """Return positive values as they are, of others ``alpha * (exp(x) - 1)``."""
    return F.elu(as_tensor(x), float(alpha))


@symbol("keras.backend.softmax")
def softmax(x: Any, axis: Any = -1) -> torch.Tensor:
    """Return probabilities that add up to 1 along an axis."""
    return activations.softmax(x, axis)


@symbol("keras.backend.hard_sigmoid", "keras.activations.hard_sigmoid")
def hard_sigmoid(x: Any) -> torch.Tensor:
    """Return ``0.2 * x + 0.5``, clipped to 0 and 1."""
    return (as_tensor(x) * 0.2 + 0.5).clamp(0.0, 1.0)


register(activations.sigmoid, "keras.backend.sigmoid", "keras.activations.sigmoid")
register(activations.softplus, "keras.backend.softplus", "keras.activations.softplus")
register(activations.softsign, "keras.backend.softsign", "keras.activations.softsign")


@symbol("keras.backend.l2_normalize")
def l2_normalize(x: Any, axis: Any = None) -> torch.Tensor:
    """Return a tensor divided by its Euclidean norm over axes."""
    return matrices.l2_normalize(x, axis)


@symbol("keras.backend.in_top_k")
def in_top_k(predictions: Any, targets: Any, k: Any) -> torch.Tensor:
    """Return whether less than ``k`` predictions are larger than that of the target."""
    return matrices.in_top_k(predictions, targets, k)


@symbol("keras.backend.dropout", note="Draws from torch's generator.")
def dropout(x: Any, level: float, noise_shape: Any = None, seed: Any = None) -> torch.Tensor:
    """Return a tensor with a share of its values set to 0 and the others scaled up."""
    return activations.dropout(x, rate=level, noise_shape=noise_shape)


def _convolved(dims: int) -> Callable[..., torch.Tensor]:
    def conv(
        x: Any,
        kernel: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
    ) -> torch.Tensor:
        found, first = as_tensor(x), channels_first(data_format)
        if padding == "causal" and dims == 1:
            before = sizes(dilation_rate)[0] * (kernel.shape[0] - 1)
            found, padding = F.pad(found, [before, 0] if first else [0, 0, before, 0]), "valid"
        return convolution(found, kernel, sizes(strides), padding, channels_first=first, dilations=sizes(dilation_rate))

    return conv


def _transposed(dims: int) -> Callable[..., torch.Tensor]:
    def conv_transpose(
        x: Any,
        kernel: Any,
        output_shape: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
    ) -> torch.Tensor:
        first, wanted = channels_first(data_format), [None if one is None else int(one) for one in output_shape]
        inner = wanted[2:] if first else wanted[1:-1]
        if len(wanted) != dims + 2 or any(one is None for one in inner):
            raise refusal(f"output_shape is {wanted}, expected {dims + 2} sizes")
        if any(one != 1 for one in sizes(dilation_rate)):
            raise refusal("transposed convolutions with a dilation rate are not provided")
        size = [one for one in inner if one is not None]
        return convolution_transpose(
            as_tensor(x), kernel, sizes(strides), padding, channels_first=first, output_size=size
        )

    return conv_transpose


def _pooled(dims: int) -> Callable[..., torch.Tensor]:
    def pool(
        x: Any,
        pool_size: Any,
        strides: Any = (1,) * dims,
        padding: str = "valid",
        data_format: str | None = None,
        pool_mode: str = "max",
    ) -> torch.Tensor:
        if pool_mode not in ("max", "avg"):
            raise refusal(f"pool_mode is '{pool_mode}', expected max or avg")
        function = max_pool if pool_mode == "max" else average_pool
        return function(
            as_tensor(x), sizes(pool_size), sizes(strides), padding, channels_first=channels_first(data_format)
        )

    return pool


for _dims in (1, 2, 3):
    register(_convolved(_dims), f"keras.backend.conv{_dims}d")
for _dims in (2, 3):
    register(_transposed(_dims), f"keras.backend.conv{_dims}d_transpose")
    register(_pooled(_dims), f"keras.backend.pool{_dims}d")


@symbol("keras.backend.depthwise_conv2d")
def depthwise_conv2d(
    x: Any,
    depthwise_kernel: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = (1, 1),
) -> torch.Tensor:
    """Return each channel convolved with kernels of its own, (height, width, in, multiplier)."""
    return convolution(
        as_tensor(x),
        grouped_kernel(depthwise_kernel),
        sizes(strides),
        padding,
        channels_first=channels_first(data_format),
        dilations=sizes(dilation_rate),
    )


@symbol("keras.backend.separable_conv2d")
def separable_conv2d(
    x: Any,
    depthwise_kernel: Any,
    pointwise_kernel: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = (1, 1),
) -> torch.Tensor:
    """Return a depthwise convolution followed by one of single pixels."""
    deep = depthwise_conv2d(x, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return convolution(deep, pointwise_kernel, 1, "valid", channels_first=channels_first(data_format))


@symbol("keras.backend.bias_add")
def bias_add(x: Any, bias: Any, data_format: str | None = None) -> torch.Tensor:
    """Return a tensor with a number for each channel, or a tensor (spatial..., channels), added.

    Raises:
        ClaraError: the bias has another number of axes.
    """
    found, added = tensors(x, bias)
    if added.ndim not in (1, found.ndim - 1):
        raise refusal(f"K.bias_add: a bias of {added.ndim} axes for a tensor of {found.ndim}")
    if channels_first(data_format):
        added = added.reshape([-1] + [1] * (found.ndim - 2)) if added.ndim == 1 else added.movedim(-1, 0)
    return found + added


@symbol("keras.backend.batch_normalization")
def batch_normalization(
    x: Any, mean: Any, var: Any, beta: Any, gamma: Any, axis: int = -1, epsilon: float = 1e-3
) -> torch.Tensor:
    """Return values normalised with a given mean and variance of each channel."""
    found = as_tensor(x)
    shape = [1] * found.ndim
    shape[axis] = -1
    means, variances, offset, scale = (
        one.reshape(shape) if isinstance(one, torch.Tensor) and one.ndim == 1 else one
        for one in (mean, var, beta, gamma)
    )
    return normalized(found, means, variances, offset, scale, epsilon)


@symbol("keras.backend.normalize_batch_in_training")
def normalize_batch_in_training(
    x: Any, gamma: Any, beta: Any, reduction_axes: Any, epsilon: float = 1e-3
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return normalised values with the mean and variance of the batch."""
    found = as_tensor(x)
    mean, variance = moments(found, reduction_axes, keep_dims=True)
    offset, scale = (None if one is None else as_tensor(one, like=found).reshape(mean.shape) for one in (beta, gamma))
    kept = [size for axis, size in enumerate(found.shape) if axis not in sizes(reduction_axes)]
    result = normalized(found, mean, variance, offset, scale, epsilon)
    return result, mean.reshape(kept), variance.reshape(kept)


@symbol("keras.backend.resize_images")
def resize_images(
    x: Any, height_factor: int, width_factor: int, data_format: str, interpolation: str = "nearest"
) -> torch.Tensor:
    """Return images enlarged by whole factors.

    Raises:
        ClaraError: another interpolation than nearest and bilinear is asked for.
    """
    if interpolation not in ("nearest", "bilinear"):
        raise refusal(f"K.resize_images: interpolation is '{interpolation}', expected nearest or bilinear")
    found, first = as_tensor(x), channels_first(data_format)
    if interpolation == "nearest":
        axes = (2, 3) if first else (1, 2)
        rows = torch.repeat_interleave(found, int(height_factor), axes[0])
        return torch.repeat_interleave(rows, int(width_factor), axes[1])
    images = found if first else found.movedim(-1, 1)
    size = [images.shape[2] * int(height_factor), images.shape[3] * int(width_factor)]
    images = F.interpolate(images, size, mode="bilinear", align_corners=False)
    return images if first else images.movedim(1, -1)


@symbol("keras.backend.resize_volumes")
def resize_volumes(x: Any, depth_factor: int, height_factor: int, width_factor: int, data_format: str) -> torch.Tensor:
    """Return volumes enlarged by whole factors, voxels repeated."""
    found = as_tensor(x)
    start = 2 if channels_first(data_format) else 1
    for number, factor in enumerate((depth_factor, height_factor, width_factor)):
        found = torch.repeat_interleave(found, int(factor), start + number)
    return found


_NOTE = "Draws from torch's generator, other numbers than TensorFlow's."


@symbol("keras.backend.random_normal", note=_NOTE)
def random_normal(shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None) -> torch.Tensor:
    """Return normally distributed numbers."""
    return randomness.random_normal(shape, mean, stddev, dtype or floatx())


@symbol("keras.backend.truncated_normal", note=_NOTE)
def truncated_normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None
) -> torch.Tensor:
    """Return normally distributed numbers, those beyond two standard deviations drawn anew."""
    return randomness.truncated_normal(shape, mean, stddev, dtype or floatx())


@symbol("keras.backend.random_uniform", note=_NOTE)
def random_uniform(
    shape: Any, minval: Any = 0.0, maxval: Any = 1.0, dtype: Any = None, seed: Any = None
) -> torch.Tensor:
    """Return numbers of equal likelihood."""
    return randomness.random_uniform(shape, minval, maxval, dtype or floatx())


@symbol("keras.backend.random_binomial", "keras.backend.random_bernoulli", note=_NOTE)
def random_binomial(shape: Any, p: float = 0.0, dtype: Any = None, seed: Any = None) -> torch.Tensor:
    """Return ones with a probability, else zeros."""
    drawn: torch.Tensor = torch.rand(sizes(shape), device=device()) <= p
    return as_tensor(drawn, dtype or floatx())
