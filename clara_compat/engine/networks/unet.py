"""Clara's Unet as a torch module."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from monai.networks.blocks import ADN
from monai.networks.layers import Conv
from monai.networks.layers.factories import Pad
from torch import nn

from clara_compat.engine.networks.activation import FinalActivation
from clara_compat.engine.networks.initialisation import tensorflow_initialisation_

__all__ = ["ClaraUNet"]


class ClaraUNet(nn.Module):
    """U-Net in the layout of VoxelMorph, which Clara's ``Unet`` takes its two lists of channels from.

    With L encoder entries and at least L + 2 decoder entries (defaults: 4 and 7)::

        image -- E0 /2 -- E1 /2 -- ... -- E(L-1) /2
                                           |
        D0 .. D(L-2): each convolves, doubles the size and joins the encoder's output of that size
        D(L-1), D(L): two convolutions at half the full size, then doubling, joined with the image itself
        the remaining entries: convolutions at full size, then a 1x1x1 convolution to the output channels

    Encoder convolutions are 3x3x3 with stride 2 in place of pooling; the others are 3x3x3 with stride 1. All pad as
    TensorFlow's ``SAME``: with stride 2 on an even size that is nothing before and one after, so outputs sit one
    input voxel later than under torch's ``padding=1``. A block is convolution, normalisation, ReLU, dropout; the
    convolution has a bias when no normalisation follows. Sizes are doubled by repeating voxels. Kernels start as
    TensorFlow's do. NVIDIA did not document the inside of ``Unet``: see clara-3.1 engine facts, section 2.1.

    Args:
        spatial_dims: 2 or 3.
        in_channels: channels of the image.
        out_channels: number of classes.
        encoder_channels: output channels of the encoder's convolutions.
        decoder_channels: output channels of the decoder's convolutions.
        norm: ``None``, ``"batch"``, or any of MONAI's normalisations, such as ``("group", {"num_groups": 8})``.
        dropout_prob: probability with which a whole feature map is dropped after each block; 0 leaves it out.
        final_activation: ``softmax`` over the channels, ``sigmoid`` or ``linear``; computed in float32 or wider.

    Raises:
        ValueError: when the two lists do not fit together, a number is out of range, or the activation is unknown.

    Example::

        network = ClaraUNet(spatial_dims=3, in_channels=1, out_channels=2, norm=("group", {"num_groups": 8}))
        probabilities = network(torch.rand(2, 1, 64, 64, 64))  # (2, 2, 64, 64, 64), sums to one over the channels
    """

    def __init__(
        self,
        spatial_dims: int,
        in_channels: int,
        out_channels: int,
        encoder_channels: Sequence[int] = (32, 64, 64, 64),
        decoder_channels: Sequence[int] = (64, 64, 64, 64, 64, 32, 32),
        norm: str | Sequence[Any] | None = None,
        dropout_prob: float = 0.0,
        final_activation: str = "softmax",
    ) -> None:
        super().__init__()
        encoder, decoder = [int(n) for n in encoder_channels], [int(n) for n in decoder_channels]
        _check(spatial_dims, in_channels, out_channels, encoder, decoder, norm, dropout_prob)
        self.spatial_dims = spatial_dims
        self.in_channels = in_channels
        self.divisor = 2 ** len(encoder)
        layer_norm = norm if norm is None or isinstance(norm, str) else tuple(norm)  # JSON has lists only

        def block(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
            return _block(spatial_dims, inputs, outputs, stride, layer_norm, dropout_prob)

        widths = [in_channels, *encoder]
        self.encoder = nn.ModuleList([block(n, m, stride=2) for n, m in zip(widths[:-1], encoder, strict=True)])

        levels = len(encoder) - 1
        skips = encoder[levels - 1 :: -1] if levels else []  # what each doubling is joined with, deepest first
        stages, width = [], encoder[-1]
        for outputs, skip in zip(decoder[:levels], skips, strict=True):
            stages.append(block(width, outputs))
            width = outputs + skip
        first, second = decoder[levels : levels + 2]
        stages.append(nn.Sequential(block(width, first), block(first, second)))
        self.decoder = nn.ModuleList(stages)
        self.upsample = nn.Upsample(scale_factor=2, mode="nearest")

        full = [second + in_channels, *decoder[levels + 2 :]]
        self.refine = nn.Sequential(*[block(n, m) for n, m in pairwise(full)])
        self.head = Conv[Conv.CONV, spatial_dims](full[-1], out_channels, kernel_size=1)
        self.activation = FinalActivation(final_activation)
        tensorflow_initialisation_(self)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Predict.

        Args:
            image: (N, in_channels, spatial...), every size divisible by 2 to the number of encoder entries.

        Returns:
            (N, out_channels, spatial...), activated.

        Raises:
            ValueError: when the image has other dimensions or a size that cannot be halved that often.
        """
        sizes = image.shape[2:]
        if len(sizes) != self.spatial_dims or image.shape[1] != self.in_channels:
            raise ValueError(
                f"the network takes (N, {self.in_channels}, {self.spatial_dims} spatial sizes) "
                f"but got a tensor of shape {list(image.shape)}"
            )
        for size in sizes:
            if size % self.divisor != 0:
                raise ValueError(
                    f"the network halves its input {len(self.encoder)} times: every size must be a multiple of "
                    f"{self.divisor} but the input is {list(sizes)}"
                )
        skips = [image]
        for down in self.encoder:
            skips.append(down(skips[-1]))
        features = skips.pop()
        for stage in self.decoder:
            features = torch.cat([self.upsample(stage(features)), skips.pop()], dim=1)
        return self.activation(self.head(self.refine(features)))


def _block(
    spatial_dims: int, inputs: int, outputs: int, stride: int, norm: str | tuple[Any, ...] | None, dropout_prob: float
) -> nn.Sequential:
    """Convolution with TensorFlow's ``SAME`` padding, normalisation, ReLU, dropout."""
    convolution = Conv[Conv.CONV, spatial_dims]
    layers: list[nn.Module] = []
    if stride == 2:  # an even size: TensorFlow pads nothing before and one voxel after
        layers.append(Pad[Pad.CONSTANTPAD, spatial_dims](padding=(0, 1) * spatial_dims, value=0.0))
        layers.append(convolution(inputs, outputs, kernel_size=3, stride=2, bias=norm is None))
    else:
        layers.append(convolution(inputs, outputs, kernel_size=3, padding=1, bias=norm is None))
    layers.append(
        ADN(
            ordering="NAD",
            in_channels=outputs,
            act=("relu", {"inplace": True}),
            norm=norm,
            dropout=dropout_prob or None,
            dropout_dim=spatial_dims,
        )
    )
    return nn.Sequential(*layers)


def _check(
    spatial_dims: int,
    in_channels: int,
    out_channels: int,
    encoder: list[int],
    decoder: list[int],
    norm: str | Sequence[Any] | None,
    dropout_prob: float,
) -> None:
    """Raise ValueError for numbers that do not make a network."""
    if spatial_dims not in (2, 3):
        raise ValueError(f"spatial_dims must be 2 or 3 but is {spatial_dims}")
    if not encoder or len(decoder) < len(encoder) + 2:
        raise ValueError(
            f"the decoder needs at least two entries more than the encoder, which needs at least one: got "
            f"{len(encoder)} encoder_channels {encoder} and {len(decoder)} decoder_channels {decoder}"
        )
    if min(in_channels, out_channels, *encoder, *decoder) < 1:
        raise ValueError(
            f"numbers of channels must be at least 1: got in_channels {in_channels}, out_channels {out_channels}, "
            f"encoder_channels {encoder}, decoder_channels {decoder}"
        )
    if not 0.0 <= dropout_prob < 1.0:
        raise ValueError(f"dropout_prob must be at least 0 and below 1 but is {dropout_prob}")
    if norm is not None and not isinstance(norm, str):
        options = norm[1] if len(norm) == 2 else {}
        groups = options.get("num_groups", 1) if isinstance(options, Mapping) else 1
        uneven = sorted({n for n in encoder + decoder if groups < 1 or n % groups})
        if uneven:
            raise ValueError(
                f"group normalisation with {groups} groups needs numbers of channels divisible by {groups} but the "
                f"encoder or decoder has {', '.join(map(str, uneven))}"
            )
