"""``tf.image``: resizing and flipping, channels last, with TensorFlow 1's sampling."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, cast

import torch

from clara_compat.tensorflow.convert import as_tensor
from clara_compat.tensorflow.ops.arguments import wide
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import register, symbol
from clara_compat.tensorflow.shapes import sizes

__all__ = ["resize_images"]


@symbol("image.ResizeMethod")
class ResizeMethod:
    """Ways to resize."""

    BILINEAR = 0
    NEAREST_NEIGHBOR = 1
    BICUBIC = 2
    AREA = 3


_METHODS = {
    **dict.fromkeys((ResizeMethod.BILINEAR, "bilinear"), "bilinear"),
    **dict.fromkeys((ResizeMethod.NEAREST_NEIGHBOR, "nearest"), "nearest"),
    **dict.fromkeys((ResizeMethod.BICUBIC, "bicubic"), "bicubic"),
    **dict.fromkeys((ResizeMethod.AREA, "area"), "area"),
}


@symbol("image.resize_images", "image.resize")
def resize_images(
    images: Any,
    size: Any,
    method: Any = ResizeMethod.BILINEAR,
    align_corners: bool = False,
    preserve_aspect_ratio: bool = False,
    name: str | None = None,
    half_pixel_centers: bool = False,
) -> torch.Tensor:
    """Return images in another size.

    Without ``align_corners`` the first pixels meet and the others lie ``old / new`` apart, as TensorFlow 1 has it, not
    half a pixel further as in torch and TensorFlow 2.

    Args:
        images: (N, height, width, C) or (height, width, C).
        size: new height and width.
        method: bilinear, nearest, bicubic or area.
        align_corners: whether the last pixels meet, too.
        preserve_aspect_ratio: take the largest size of the old shape that fits.
        name: ignored.
        half_pixel_centers: whether the images' edges meet rather than their pixels.

    Raises:
        ClaraError: another method, or another number of axes.
    """
    tensor = as_tensor(images)
    if tensor.ndim not in (3, 4):
        raise refusal(f"tf.image.resize_images takes 3 or 4 axes, not the shape {list(tensor.shape)}")
    kind = _METHODS.get(method)
    if kind is None:
        raise refusal(
            f"tf.image.resize_images: method {method!r} is not provided, only bilinear, nearest, bicubic and area"
        )
    batch = tensor if tensor.ndim == 4 else tensor.unsqueeze(0)
    new = sizes(size)
    if preserve_aspect_ratio:
        old = [int(one) for one in batch.shape[1:3]]
        scale = min(new[0] / old[0], new[1] / old[1])
        new = [round(one * scale) for one in old]
    if list(batch.shape[1:3]) != new:
        resize = {"bilinear": _bilinear, "nearest": _nearest, "bicubic": _bicubic, "area": _area}[kind]
        batch = batch if kind == "nearest" else wide(batch)
        batch = batch if batch.is_floating_point() or kind == "nearest" else batch.float()
        for axis in (1, 2):
            batch = resize(batch, axis, new[axis - 1], align_corners, half_pixel_centers)
    return batch if tensor.ndim == 4 else batch.squeeze(0)


def _places(old: int, new: int, align: bool, half: bool) -> list[float]:
    """Return where the new pixels lie on the old ones."""
    scale = (old - 1) / (new - 1) if align and new > 1 else old / new
    return [(number + 0.5) * scale - 0.5 if half else number * scale for number in range(new)]


def _bilinear(images: torch.Tensor, axis: int, new: int, align: bool, half: bool) -> torch.Tensor:
    old = int(images.shape[axis])  # a number also while it is traced
    places = _places(old, new, align, half)
    low = [min(max(math.floor(place), 0), old - 1) for place in places]
    high = [min(max(math.ceil(place) if half else one + 1, 0), old - 1) for place, one in zip(places, low, strict=True)]
    first, second = (images.index_select(axis, torch.tensor(one, device=images.device)) for one in (low, high))
    shape = [-1 if one == axis else 1 for one in range(images.ndim)]
    share = [place - math.floor(place) for place in places]
    return first + (second - first) * torch.tensor(share, dtype=images.dtype, device=images.device).reshape(shape)


def _nearest(images: torch.Tensor, axis: int, new: int, align: bool, half: bool) -> torch.Tensor:
    old = int(images.shape[axis])  # a number also while it is traced
    places = _places(old, new, align, False)
    if half:
        chosen = [math.floor((number + 0.5) * (old / new)) for number in range(new)]
    elif align:
        chosen = [math.floor(place + 0.5) for place in places]
    else:
        chosen = [math.floor(place) for place in places]
    index = torch.tensor([min(one, old - 1) for one in chosen], device=images.device)
    return images.index_select(axis, index)


def _bicubic(images: torch.Tensor, axis: int, new: int, align: bool, half: bool) -> torch.Tensor:
    """Interpolate with Keys' kernel, its offsets rounded to 1/1024 as TensorFlow's table has them."""
    old, sharpness = int(images.shape[axis]), -0.5 if half else -0.75
    taps = []
    for place in _places(old, new, align, half):
        low = math.floor(place)
        offset = round((place - low) * 1024) / 1024
        near = [(low + step, _keys(abs(step - offset), sharpness)) for step in (-1, 0, 1, 2)]
        if half:  # what lies outside does not count
            inside = [(at, weight if 0 <= at < old else 0.0) for at, weight in near]
            total = sum(weight for _, weight in inside)
            near = [(at, weight / total) for at, weight in inside]
        taps.append([(min(max(at, 0), old - 1), weight) for at, weight in near])
    return _weighted(images, axis, taps)


def _keys(distance: float, a: float) -> float:
    """Return the weight of a pixel at a distance: Keys' cubic convolution."""
    if distance <= 1:
        return ((a + 2) * distance - (a + 3)) * distance * distance + 1
    return ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a if distance < 2 else 0.0


def _area(images: torch.Tensor, axis: int, new: int, align: bool, half: bool) -> torch.Tensor:
    """Average what a new pixel covers."""
    old = int(images.shape[axis])
    scale = (old - 1) / (new - 1) if align and new > 1 else old / new
    taps = []
    for number in range(new):
        start, end = number * scale, (number + 1) * scale
        covered = range(math.floor(start), math.ceil(end))
        shares = [(min(at, old - 1), min(at + 1, end) - max(at, start)) for at in covered]
        taps.append([(at, share / scale) for at, share in shares])
    return _weighted(images, axis, taps)


def _weighted(images: torch.Tensor, axis: int, taps: list[list[tuple[int, float]]]) -> torch.Tensor:
    """Return for each new place along an axis a sum of old ones, given as (place, weight)."""
    shape = [-1 if one == axis else 1 for one in range(images.ndim)]
    total: Any = 0
    for number in range(max(map(len, taps))):
        chosen = [one[number] if number < len(one) else (0, 0.0) for one in taps]
        index = torch.tensor([at for at, _ in chosen], device=images.device)
        weights = torch.tensor([weight for _, weight in chosen], dtype=images.dtype, device=images.device)
        total = total + images.index_select(axis, index) * weights.reshape(shape)
    return cast("torch.Tensor", total)


def _by_method(method: str) -> Callable[..., torch.Tensor]:
    def resize(
        images: Any, size: Any, align_corners: bool = False, name: str | None = None, half_pixel_centers: bool = False
    ) -> torch.Tensor:
        return resize_images(images, size, method, align_corners, half_pixel_centers=half_pixel_centers)

    return resize


register(_by_method("bilinear"), "image.resize_bilinear")
register(_by_method("nearest"), "image.resize_nearest_neighbor")
register(_by_method("bicubic"), "image.resize_bicubic")
register(_by_method("area"), "image.resize_area", note="TensorFlow has no gradient of it.")


def _flip(axis: int, random: bool) -> Callable[..., torch.Tensor]:
    def flip(image: Any, seed: Any = None) -> torch.Tensor:
        tensor = as_tensor(image)
        if not random:
            return tensor.flip(axis)
        if tensor.ndim == 3:
            return tensor.flip(axis) if float(torch.rand(())) < 0.5 else tensor
        chosen = torch.rand([tensor.shape[0], 1, 1, 1], device=tensor.device) < 0.5
        return torch.where(chosen, tensor.flip(axis), tensor)

    return flip


for _name, _axis in (("left_right", -2), ("up_down", -3)):
    register(_flip(_axis, False), f"image.flip_{_name}")
    register(_flip(_axis, True), f"image.random_flip_{_name}", note="Draws from torch's generator.")


@symbol("image.rot90")
def rot90(image: Any, k: int = 1, name: str | None = None) -> torch.Tensor:
    """Return images turned by 90 degrees ``k`` times, against the clock."""
    return torch.rot90(as_tensor(image), int(k), (-3, -2))


@symbol("image.transpose_image", "image.transpose")
def transpose(image: Any, name: str | None = None) -> torch.Tensor:
    """Return images with rows and columns exchanged."""
    return as_tensor(image).transpose(-3, -2)


@symbol("image.per_image_standardization")
def per_image_standardization(image: Any) -> torch.Tensor:
    """Return images of mean 0 and standard deviation 1, which is taken to be at least ``1 / sqrt(pixels)``."""
    tensor = wide(image).float()
    axes = [-1, -2, -3]
    deviation = torch.var(tensor, axes, correction=0, keepdim=True).sqrt()
    count = math.prod(tensor.shape[-3:])
    return (tensor - tensor.mean(axes, True)) / deviation.clamp(min=1.0 / math.sqrt(count))
