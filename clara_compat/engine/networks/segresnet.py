"""Clara's SegResnet as a torch module."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from monai.networks.layers import Conv
from monai.networks.layers.factories import Dropout
from torch import nn

from clara_compat.engine.networks.activation import FinalActivation
from clara_compat.engine.networks.initialisation import tensorflow_initialisation_
from clara_compat.engine.networks.layers import NormSpec, check_groups, norm_activation, same_convolution
from clara_compat.engine.networks.network import ClaraNetwork
from clara_compat.engine.networks.variational import VariationalBranch

__all__ = ["ClaraSegResNet"]


class ClaraSegResNet(ClaraNetwork):
    """Encoder and decoder of pre-activated residual blocks, after Myronenko 2018, as ``monai.networks.nets.SegResNet``.

    With L entries in ``blocks_down`` and F = ``init_filters``::

        image -- 3x3x3 to F -- dropout -- blocks -- /2 to 2F -- blocks -- ... -- blocks of F 2^(L-1)
        deepest: 1x1x1 to half the channels, doubled linearly, plus the encoder's features of that size, blocks, ...
        at full size: normalisation, ReLU, 1x1x1 convolution with bias to the classes, activation

    A block is twice normalisation, ReLU and a 3x3x3 convolution, plus its input. It differs from MONAI's network
    (clara-3.1 engine facts, section 2.1) in that it ends in its own activation; that every convolution but the last has
    a bias exactly when there is no normalisation; that strided convolutions pad as TensorFlow's ``SAME``; that kernels
    start as TensorFlow's He normal law; and in the weights of the loss of the VAE branch, which runs in training steps
    only and changes no prediction: its loss is in :meth:`extra_loss`.

    Args:
        spatial_dims: 2 or 3.
        in_channels: channels of the image.
        out_channels: number of classes.
        init_filters: channels at full size; twice as many at each halving.
        blocks_down: residual blocks of each level of the encoder.
        blocks_up: residual blocks of each level of the decoder, deepest first: one entry less.
        norm: ``None``, ``"batch"``, or any of MONAI's normalisations; there are never more groups than channels.
        dropout_prob: probability with which a whole feature map is dropped after the first convolution.
        reg_weight: weight of the L2 penalty on the kernels in :meth:`extra_loss`.
        vae_image_size: spatial size of the training images: adds the VAE branch. ``None`` leaves it out.
        final_activation: ``softmax`` over the channels, ``sigmoid`` or ``linear``; computed in float32 or wider.

    Raises:
        ValueError: when a number is out of range, the lists do not fit together, or the activation is unknown.

    Example::

        network = ClaraSegResNet(spatial_dims=3, in_channels=1, out_channels=2, vae_image_size=(64, 64, 64))
        loss = dice(network(image), label) + network.extra_loss()
    """

    def __init__(
        self,
        spatial_dims: int,
        in_channels: int,
        out_channels: int,
        init_filters: int = 8,
        blocks_down: Sequence[int] = (1, 2, 2, 4),
        blocks_up: Sequence[int] = (1, 1, 1),
        norm: NormSpec = ("group", {"num_groups": 8}),
        dropout_prob: float = 0.0,
        reg_weight: float = 0.0,
        vae_image_size: Sequence[int] | None = None,
        final_activation: str = "softmax",
    ) -> None:
        down, up = [int(n) for n in blocks_down], [int(n) for n in blocks_up]
        if not down or len(up) != len(down) - 1:
            raise ValueError(f"blocks_up must have one entry less than blocks_down but they are {up} and {down}")
        if min(*down, *up, init_filters) < 1:
            raise ValueError(
                f"init_filters and every number of blocks must be at least 1: got init_filters {init_filters}, "
                f"blocks_down {down}, blocks_up {up}"
            )
        widths = [init_filters * 2**level for level in range(len(down))]
        check_groups(norm, widths)
        super().__init__(
            spatial_dims,
            in_channels,
            out_channels,
            halvings=len(down) - 1,
            reg_weight=reg_weight,
            dropout_prob=dropout_prob,
        )

        def blocks(channels: int, count: int) -> list[nn.Module]:
            return [_ResidualBlock(spatial_dims, channels, norm) for _ in range(count)]

        bias = norm is None
        convolution = Conv[Conv.CONV, spatial_dims]
        self.first = same_convolution(spatial_dims, in_channels, init_filters, bias=bias)
        self.dropout = Dropout[Dropout.DROPOUT, spatial_dims](dropout_prob) if dropout_prob else nn.Identity()
        stages = [nn.Sequential(*blocks(widths[0], down[0]))]
        for narrow, wide, count in zip(widths[:-1], widths[1:], down[1:], strict=True):
            halve = same_convolution(spatial_dims, narrow, wide, stride=2, bias=bias)
            stages.append(nn.Sequential(halve, *blocks(wide, count)))
        self.down = nn.ModuleList(stages)
        self.enlarge, self.up = nn.ModuleList(), nn.ModuleList()
        for narrow, wide, count in zip(widths[-2::-1], widths[:0:-1], up, strict=True):
            doubled = nn.Upsample(scale_factor=2, mode="bilinear" if spatial_dims == 2 else "trilinear")
            self.enlarge.append(nn.Sequential(convolution(wide, narrow, kernel_size=1, bias=bias), doubled))
            self.up.append(nn.Sequential(*blocks(narrow, count)))
        self.final = nn.Sequential(
            *norm_activation(spatial_dims, init_filters, norm), convolution(init_filters, out_channels, kernel_size=1)
        )
        self.vae: VariationalBranch | None = None
        if vae_image_size is not None:
            self.vae = VariationalBranch(
                spatial_dims, in_channels, vae_image_size, widths[-1], self.divisor, init_filters, norm
            )
        self.activation = FinalActivation(final_activation)
        tensorflow_initialisation_(self, "he_normal")
        self._vae_loss: torch.Tensor | None = None

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Predict.

        Args:
            image: (N, in_channels, spatial...), every size a multiple of 2 to one less than the levels.

        Returns:
            (N, out_channels, spatial...), activated.

        Raises:
            ValueError: when the image has other dimensions, a size that cannot be halved that often, or, in training
                with a VAE branch and gradients, another size than the branch was made for.
        """
        if not torch.jit.is_tracing():
            self.check_image(image)
        features = self.dropout(self.first(image))
        skips = []
        for stage in self.down:
            features = stage(features)
            skips.append(features)
        if self.vae is not None and self.training and torch.is_grad_enabled():  # not in infer_in_training_mode
            self._vae_loss = self.vae(features, image, self._decode)
        return self.activation(self.final(self._decode(features, skips)))

    def extra_loss(self) -> torch.Tensor:
        """Return the L2 penalty, in training mode plus the loss of the VAE branch in the last forward pass."""
        loss = super().extra_loss()
        if self.training and self._vae_loss is not None:
            loss = loss + self._vae_loss
        return loss

    def deepest_voxels(self, sizes: Sequence[int]) -> int:
        """Return the voxels of the deepest level, or of the code of the VAE branch, which halves once more."""
        branches = self.vae is not None and torch.is_grad_enabled()
        return math.prod(size // (2 * self.divisor if branches else self.divisor) for size in sizes)

    def _decode(self, features: torch.Tensor, skips: Sequence[torch.Tensor] = ()) -> torch.Tensor:
        """Bring the deepest features to full size; without ``skips`` nothing is added."""
        for level, (enlarge, stage) in enumerate(zip(self.enlarge, self.up, strict=True)):
            features = enlarge(features)
            if skips:
                features = features + skips[-2 - level]
            features = stage(features)
        return features

    def __getstate__(self) -> dict[str, Any]:
        """Leave the last step's loss out of copies: it hangs on the step's graph."""
        return {**self.__dict__, "_vae_loss": None}


class _ResidualBlock(nn.Module):
    """Twice normalisation, ReLU and a 3x3x3 convolution; plus the input."""

    def __init__(self, spatial_dims: int, channels: int, norm: NormSpec) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for _ in range(2):
            layers += norm_activation(spatial_dims, channels, norm)
            layers.append(same_convolution(spatial_dims, channels, channels, bias=norm is None))
        self.layers = nn.Sequential(*layers)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return (N, channels, spatial...)."""
        out = self.layers(features)
        out += features
        return out
