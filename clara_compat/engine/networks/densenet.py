"""Clara's DenseNet121 as a torch module."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from monai.networks.nets import DenseNet121

from clara_compat.engine.networks.activation import FinalActivation
from clara_compat.engine.networks.initialisation import tensorflow_initialisation_
from clara_compat.engine.networks.network import ClaraNetwork

__all__ = ["ClaraDenseNet121"]

_SMALLEST, _LARGEST_TO_ONE = 29, 60
"""Sizes of which one voxel is left when they are halved twice rounding up and three times rounding down."""


class ClaraDenseNet121(ClaraNetwork):
    """``monai.networks.nets.DenseNet121``, a classifier, ending in its own activation.

    Kernels start as TensorFlow's do.

    Args:
        spatial_dims: 2 or 3.
        in_channels: channels of the image.
        out_channels: number of classes.
        dropout_prob: probability with which a whole feature map is dropped after each dense layer.
        reg_weight: weight of the L2 penalty on the kernels in :meth:`extra_loss`.
        final_activation: ``softmax`` over the classes, ``sigmoid`` or ``linear``; computed in float32 or wider.

    Raises:
        ValueError: when a number is out of range or the activation is unknown.

    Example::

        network = ClaraDenseNet121(spatial_dims=2, in_channels=3, out_channels=15, final_activation="sigmoid")
        probabilities = network(torch.rand(2, 3, 256, 256))  # (2, 15)
    """

    task: ClassVar[str] = "classification"

    def __init__(
        self,
        spatial_dims: int,
        in_channels: int,
        out_channels: int,
        dropout_prob: float = 0.0,
        reg_weight: float = 0.0,
        final_activation: str = "softmax",
    ) -> None:
        super().__init__(spatial_dims, in_channels, out_channels, reg_weight=reg_weight, dropout_prob=dropout_prob)
        self.net = DenseNet121(spatial_dims, in_channels, out_channels, dropout_prob=dropout_prob)
        self.activation = FinalActivation(final_activation)
        tensorflow_initialisation_(self)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Classify.

        Args:
            image: (N, in_channels, spatial...), every size at least 29.

        Returns:
            (N, out_channels), activated.

        Raises:
            ValueError: when the image has other dimensions or sizes.
        """
        if not torch.jit.is_tracing():
            self.check_image(image)
        return self.activation(self.net(image))

    def check_image(self, image: torch.Tensor) -> None:
        """Check an input (N, in_channels, spatial...).

        Raises:
            ValueError: when the image has other dimensions, is too small, or batch normalisation cannot be trained
                with it.
        """
        sizes = list(image.shape[2:])
        if min(sizes, default=_SMALLEST) < _SMALLEST:
            raise ValueError(
                f"DenseNet121 halves its input five times: sizes must be at least {_SMALLEST}, got {sizes}"
            )
        super().check_image(image)

    def deepest_voxels(self, sizes: Sequence[int]) -> int:
        """Return how many voxels are left of the smallest features: one, or more than that."""
        return 1 if max(sizes) <= _LARGEST_TO_ONE else 2
