"""The variational branch of Clara's SegResnet."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from monai.networks.layers import Conv
from torch import nn
from torch.nn import functional

from clara_compat.engine.networks.activation import widened
from clara_compat.engine.networks.layers import NormSpec, norm_activation, same_convolution

__all__ = ["VariationalBranch"]

_CODE_CHANNELS = 16


class VariationalBranch(nn.Module):
    """Reconstructs the image from a network's deepest features by way of a random code; for a loss in training only.

    The layers are those of ``monai.networks.nets.SegResNetVAE``, after Myronenko 2018: the features are halved once
    more to 16 channels, a dense layer each gives mean and standard deviation of a normal code, a draw of it is brought
    back to the features' shape, and the decoder of the segmentation (its own weights, without its skip connections)
    makes an image of it. The loss is the Kullback-Leibler divergence of the code from a standard normal law, averaged
    over its numbers, plus ``0.1`` times the mean squared difference from the image (clara-3.1 engine facts, section
    2.1; MONAI weighs that difference with 1). Under autocast both are computed in
    float32.

    Args:
        spatial_dims: 2 or 3.
        image_channels: of the image.
        image_size: spatial size of the image; one side of the features is its part of ``divisor``.
        features: channels of the deepest features.
        divisor: by which the features are smaller than the image.
        decoded: channels of what the decoder makes.
        norm: normalisation, see :data:`~clara_compat.engine.networks.layers.NormSpec`.
        latent: numbers in the code.

    Raises:
        ValueError: when the features cannot be halved once more.
    """

    def __init__(
        self,
        spatial_dims: int,
        image_channels: int,
        image_size: Sequence[int],
        features: int,
        divisor: int,
        decoded: int,
        norm: NormSpec,
        latent: int = 128,
    ) -> None:
        super().__init__()
        self.image_size = tuple(int(size) for size in image_size)
        if len(self.image_size) != spatial_dims or any(s < 1 or s % (2 * divisor) for s in self.image_size):
            raise ValueError(
                f"the VAE needs {spatial_dims} sizes of the image that are multiples of {2 * divisor} "
                f"but got {list(self.image_size)}"
            )
        convolution = Conv[Conv.CONV, spatial_dims]
        self.code_shape = (_CODE_CHANNELS, *(size // (2 * divisor) for size in self.image_size))
        numbers = math.prod(self.code_shape)
        self.encode = nn.Sequential(
            *norm_activation(spatial_dims, features, norm),
            same_convolution(spatial_dims, features, _CODE_CHANNELS, stride=2),
            *norm_activation(spatial_dims, _CODE_CHANNELS, norm),
        )
        self.mean = nn.Linear(numbers, latent)
        self.deviation = nn.Linear(numbers, latent)
        self.expand = nn.Linear(latent, numbers)
        self.restore = nn.Sequential(
            convolution(_CODE_CHANNELS, features, kernel_size=1, bias=norm is None),
            nn.Upsample(scale_factor=2, mode="bilinear" if spatial_dims == 2 else "trilinear"),
            *norm_activation(spatial_dims, features, norm),
        )
        self.final = nn.Sequential(
            *norm_activation(spatial_dims, decoded, norm), convolution(decoded, image_channels, kernel_size=1)
        )

    def forward(
        self, features: torch.Tensor, image: torch.Tensor, decode: Callable[[torch.Tensor], torch.Tensor]
    ) -> torch.Tensor:
        """Return the loss, a scalar.

        Args:
            features: (N, features, spatial... / divisor).
            image: (N, image_channels, spatial...).
            decode: the decoder, without skip connections.

        Raises:
            ValueError: when the image has another size than the branch was made for.
        """
        if tuple(image.shape[2:]) != self.image_size:
            raise ValueError(
                f"the VAE was made for images of {list(self.image_size)} but a training image is "
                f"{list(image.shape[2:])}: output_crop_size must be the size of the training images"
            )
        code = self.encode(features).flatten(1)
        mean, deviation = widened(self.mean(code)), functional.softplus(widened(self.deviation(code)))
        divergence = 0.5 * torch.mean(mean**2 + deviation**2 - torch.log(1e-8 + deviation**2) - 1.0)
        drawn = mean + deviation * torch.randn_like(mean)
        grid = functional.relu(self.expand(drawn)).reshape(-1, *self.code_shape)
        restored = widened(self.final(decode(self.restore(grid))))
        return divergence + 0.1 * functional.mse_loss(restored, image.to(restored.dtype))
