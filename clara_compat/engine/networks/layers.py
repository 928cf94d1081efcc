"""Layers as TensorFlow's networks have them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from monai.networks.layers import Conv
from monai.networks.layers.factories import Pad
from monai.networks.layers.utils import get_norm_layer
from torch import nn

__all__ = ["NormSpec", "check_groups", "norm_activation", "norm_for", "same_convolution"]

NormSpec = str | Sequence[Any] | None
"""``None``, ``"batch"``, or any of MONAI's normalisations, such as ``("group", {"num_groups": 8})``."""


def norm_for(norm: NormSpec, channels: int) -> str | tuple[Any, ...] | None:
    """Return the normalisation for so many channels, as MONAI takes it.

    There are never more groups than channels, as in the group normalisation that TensorFlow 1 users wrote themselves
    (``G = min(G, C)``): a published configuration asks for 8 groups of 2 channels.

    Args:
        norm: a list in place of a tuple will do: JSON has lists only.
        channels: that are normalised.
    """
    if norm is None or isinstance(norm, str):
        return norm
    name, options = norm[0], norm[1:]
    if options and isinstance(options[0], Mapping) and "num_groups" in options[0]:
        return (name, {**options[0], "num_groups": min(options[0]["num_groups"], channels)})
    return (name, *options)


def check_groups(norm: NormSpec, channels: Iterable[int]) -> None:
    """Check that group normalisation can share these numbers of channels out.

    Args:
        norm: MONAI's name of a normalisation, or name and arguments.
        channels: numbers of channels that are normalised.

    Raises:
        ValueError: when the groups do not divide one of them.
    """
    if norm is None or isinstance(norm, str):
        return
    options = norm[1] if len(norm) == 2 else {}
    groups = options.get("num_groups", 1) if isinstance(options, Mapping) else 1
    uneven = sorted({n for n in channels if groups < 1 or n % min(groups, n)})
    if uneven:
        raise ValueError(
            f"group normalisation with {groups} groups needs numbers of channels divisible by {groups} but the "
            f"network has {', '.join(map(str, uneven))}"
        )


def norm_activation(spatial_dims: int, channels: int, norm: NormSpec) -> list[nn.Module]:
    """Return normalisation and ReLU, which changes its input in place only where that is the normalisation's output.

    Args:
        spatial_dims: 2 or 3.
        channels: of its input.
        norm: MONAI's name of a normalisation, or name and arguments; None for none.
    """
    layer_norm = norm_for(norm, channels)
    if layer_norm is None:
        return [nn.ReLU()]
    return [get_norm_layer(layer_norm, spatial_dims=spatial_dims, channels=channels), nn.ReLU(inplace=True)]


def same_convolution(
    spatial_dims: int, in_channels: int, out_channels: int, kernel_size: int = 3, stride: int = 1, *, bias: bool = True
) -> nn.Module:
    """Return a convolution with TensorFlow's ``SAME`` padding, for sizes that are multiples of the stride.

    The padding is as small as it can be, an odd voxel of it behind: a 3x3x3 kernel with stride 2 gets nothing before
    and one voxel after, so outputs sit one input voxel later than under torch's ``padding=1``.

    Args:
        spatial_dims: 2 or 3.
        in_channels: of its input.
        out_channels: of its output.
        kernel_size: along each axis.
        stride: along each axis.
        bias: whether it has one.
    """
    convolution = Conv[Conv.CONV, spatial_dims]
    total = max(kernel_size - stride, 0)
    if total % 2 == 0:
        return convolution(in_channels, out_channels, kernel_size, stride=stride, padding=total // 2, bias=bias)
    padding = Pad[Pad.CONSTANTPAD, spatial_dims](padding=(total // 2, total - total // 2) * spatial_dims, value=0.0)
    return nn.Sequential(padding, convolution(in_channels, out_channels, kernel_size, stride=stride, bias=bias))
