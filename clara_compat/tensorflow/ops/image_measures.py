"""``tf.image``: how much images differ, and how much they vary; channels last."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch.nn import functional as F

from clara_compat.tensorflow.convert import as_tensor, tensors
from clara_compat.tensorflow.ops.arguments import wide
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import symbol

__all__: list[str] = []

_SCALES = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Exponents of the scales of ``ssim_multiscale``, as in TensorFlow."""


@symbol("image.total_variation")
def total_variation(images: Any, name: str | None = None) -> torch.Tensor:
    """Return the sum of the absolute differences of neighbours: of each image (N), or of the only one.

    Raises:
        ClaraError: another number of axes.
    """
    found = wide(images)
    if found.ndim not in (3, 4):
        raise refusal(f"tf.image.total_variation takes 3 or 4 axes, not the shape {list(found.shape)}")
    axes = [-1, -2, -3]
    return found.diff(dim=-3).abs().sum(axes) + found.diff(dim=-2).abs().sum(axes)


@symbol("image.image_gradients")
def image_gradients(image: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the differences to the next row and to the next column, 0 in the last one.

    Raises:
        ClaraError: the image has not the axes (N, height, width, C).
    """
    found = as_tensor(image)
    if found.ndim != 4:
        raise refusal(f"tf.image.image_gradients takes (N, height, width, C), not the shape {list(found.shape)}")
    down = F.pad(found.diff(dim=1), (0, 0, 0, 0, 0, 1))
    right = F.pad(found.diff(dim=2), (0, 0, 0, 1))
    return down, right


@symbol("image.sobel_edges")
def sobel_edges(image: Any) -> torch.Tensor:
    """Return the derivatives by rows and columns (N, height, width, C, 2) by Sobel's filters; borders are mirrored."""
    found = wide(image).movedim(-1, 1)
    down = found.new_tensor([[-1, -2, -1], [0, 0, 0], [1, 2, 1]])
    kernels = torch.stack([down, down.T]).unsqueeze(1)
    padded = F.pad(found, (1, 1, 1, 1), mode="reflect").flatten(0, 1).unsqueeze(1)
    return F.conv2d(padded, kernels).unflatten(0, found.shape[:2]).permute(0, 3, 4, 1, 2)


@symbol("image.psnr")
def psnr(a: Any, b: Any, max_val: Any, name: str | None = None) -> torch.Tensor:
    """Return the peak signal-to-noise ratio of pairs of images, in decibels."""
    first, second = (wide(one) for one in tensors(a, b))
    error = torch.square(first - second).mean([-3, -2, -1])
    return 20 * torch.log10(as_tensor(max_val, like=error)) - 10 / math.log(10) * torch.log(error)


@symbol("image.ssim")
def ssim(
    img1: Any,
    img2: Any,
    max_val: Any,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
) -> torch.Tensor:
    """Return the structural similarity of pairs of images (..., height, width, C), averaged over channels.

    Raises:
        ClaraError: the images are smaller than the filter, or their shapes differ.
    """
    return _similarity(img1, img2, max_val, filter_size, filter_sigma, k1, k2)[0].mean(-1)


@symbol("image.ssim_multiscale")
def ssim_multiscale(
    img1: Any,
    img2: Any,
    max_val: Any,
    power_factors: Sequence[float] = _SCALES,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
) -> torch.Tensor:
    """Return the structural similarity over scales, each half of the one before.

    Raises:
        ClaraError: the images are smaller than the filter at the last scale, or their shapes differ.
    """
    first, second = (wide(one) for one in tensors(img1, img2))
    parts: list[torch.Tensor] = []
    for number, power in enumerate(power_factors):
        if number:
            first, second = _half(first), _half(second)
        similarity, structure = _similarity(first, second, max_val, filter_size, filter_sigma, k1, k2)
        last = number == len(power_factors) - 1
        parts.append(F.relu(similarity if last else structure).pow(power))
    return torch.stack(parts, -1).prod(-1).mean(-1)


def _half(images: torch.Tensor) -> torch.Tensor:
    """Average pairs of rows and columns; a row or column that is left over is repeated."""
    found = images.flatten(0, -4).movedim(-1, 1)
    found = F.pad(found, (0, found.shape[-1] % 2, 0, found.shape[-2] % 2), mode="replicate")
    return F.avg_pool2d(found, 2).movedim(1, -1).unflatten(0, images.shape[:-3])


def _similarity(
    img1: Any, img2: Any, max_val: Any, size: int, sigma: float, k1: float, k2: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the similarity (..., C), and its part that compares contrast and structure."""
    x, y = (wide(one) for one in tensors(img1, img2))
    if x.shape != y.shape or x.ndim < 3 or min(x.shape[-3:-1]) < size:
        raise refusal(
            f"tf.image.ssim: images of the shapes {list(x.shape)} and {list(y.shape)}, expected equal ones of at least "
            f"{size} rows and columns: its filter has filter_size={size}"
        )
    places = torch.arange(size, dtype=x.dtype, device=x.device) - (size - 1) / 2
    bell = torch.exp(-places.square() / (2 * sigma**2))
    kernel = (bell[:, None] * bell / bell.sum() ** 2).expand(1, 1, size, size)

    def around(values: torch.Tensor) -> torch.Tensor:
        planes = values.movedim(-1, -3).reshape(-1, 1, *values.shape[-3:-1])
        return F.conv2d(planes, kernel).unflatten(0, (*values.shape[:-3], values.shape[-1])).squeeze(-3)

    of_x, of_y = around(x), around(y)
    product, squares = 2 * of_x * of_y, of_x.square() + of_y.square()
    c1, c2 = (k1 * max_val) ** 2, (k2 * max_val) ** 2
    structure = (2 * around(x * y) - product + c2) / (around(x.square() + y.square()) - squares + c2)
    similarity = (product + c1) / (squares + c1) * structure
    return similarity.mean([-2, -1]), structure.mean([-2, -1])
