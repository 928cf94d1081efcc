"""Clara's Unet as a torch module."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from monai.networks.blocks import ADN
from monai.networks.layers import Conv
from torch import nn

from clara_compat.engine.networks.activation import FinalActivation
from clara_compat.engine.networks.initialisation import tensorflow_initialisation_
from clara_compat.engine.networks.layers import NormSpec, check_groups, norm_for, same_convolution
from clara_compat.engine.networks.network import ClaraNetwork

__all__ = ["ClaraUNet"]


class ClaraUNet(ClaraNetwork):
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
        norm: ``None``, ``"batch"``, or any of MONAI's normalisations, such as ``("group", {"num_groups": 8})``; there
            are never more groups than channels.
        dropout_prob: probability with which a whole feature map is dropped after each block; 0 leaves it out.
        reg_weight: weight of the L2 penalty on the kernels in :meth:`extra_loss`.
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
        norm: NormSpec = None,
        dropout_prob: float = 0.0,
        reg_weight: float = 0.0,
        final_activation: str = "softmax",
    ) -> None:
        encoder, decoder = [int(n) for n in encoder_channels], [int(n) for n in decoder_channels]
        if not encoder or len(decoder) < len(encoder) + 2:
            raise ValueError(
                f"the decoder needs at least two entries more than the encoder, which needs at least one: got "
                f"{len(encoder)} encoder_channels {encoder} and {len(decoder)} decoder_channels {decoder}"
            )
        if min(*encoder, *decoder) < 1:
            raise ValueError(
                f"numbers of channels must be at least 1: got encoder_channels {encoder}, decoder_channels {decoder}"
            )
        check_groups(norm, encoder + decoder)
        super().__init__(
            spatial_dims,
            in_channels,
            out_channels,
            halvings=len(encoder),
            reg_weight=reg_weight,
            dropout_prob=dropout_prob,
        )

        def block(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
            return _block(spatial_dims, inputs, outputs, stride, norm, dropout_prob)

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
        if not torch.jit.is_tracing():
            self.check_image(image)
        skips = [image]
        for down in self.encoder:
            skips.append(down(skips[-1]))
        features = skips.pop()
        for stage in self.decoder:
            features, skip = self.upsample(stage(features)), skips.pop()
            # under autocast the image is wider; the next convolution would round it in any case
            features = torch.cat([features, skip.to(features.dtype)], dim=1)
        return self.activation(self.head(self.refine(features)))


def _block(
    spatial_dims: int, inputs: int, outputs: int, stride: int, norm: NormSpec, dropout_prob: float
) -> nn.Sequential:
    """Convolution with TensorFlow's ``SAME`` padding, normalisation, ReLU, dropout."""
    convolution = same_convolution(spatial_dims, inputs, outputs, stride=stride, bias=norm is None)
    # not nested: the names of the weights
    layers = list(convolution) if isinstance(convolution, nn.Sequential) else [convolution]
    rest = ADN(
        ordering="NAD",
        in_channels=outputs,
        act=("relu", {"inplace": True}),
        norm=norm_for(norm, outputs),
        dropout=dropout_prob or None,
        dropout_dim=spatial_dims,
    )
    return nn.Sequential(*layers, rest)
