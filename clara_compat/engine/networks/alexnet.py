"""Clara's Alexnet as a torch module."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import torch
from monai.networks.layers import Conv
from monai.networks.layers.factories import Pool
from torch import nn

from clara_compat.engine.networks.activation import FinalActivation
from clara_compat.engine.networks.initialisation import tensorflow_initialisation_
from clara_compat.engine.networks.layers import NormSpec, check_groups, norm_activation
from clara_compat.engine.networks.network import ClaraNetwork

__all__ = ["ClaraAlexNet"]

_KERNELS = (11, 5, 3, 3, 3)
_STRIDES = (4, 1, 1, 1, 1)
_POOLED = (True, True, False, False, True)


class ClaraAlexNet(ClaraNetwork):
    """Classifier of five convolutions and three dense layers, for images of any size.

    NVIDIA documented the numbers of channels only (clara-3.1 engine facts, section 2.1). Those of the defaults are the
    ones of OverFeat's fast model (Sermanet et al. 2014), a descendant of AlexNet, and so are the layers: kernels of
    11 with stride 4, 5, 3, 3 and 3 voxels along each axis; maximum pooling by 2 after the first, second and fifth. Each
    convolution is followed by normalisation and ReLU, and has a bias where there is no normalisation; each dense layer
    but the last by ReLU and dropout. The dense layers see the mean of the features over the image, so that any size can
    be classified.

    With ``mil`` (multiple instances) they see every position instead, and the largest value of each class over the
    positions counts before the activation: an image is as positive as its most positive part (Zhu et al. 2017).

    Args:
        spatial_dims: 2 or 3.
        in_channels: channels of the image.
        out_channels: number of classes.
        features: output channels of the five convolutions and of the first two dense layers.
        mil: classify every position and take the largest value.
        norm: ``None``, ``"batch"``, or any of MONAI's normalisations; there are never more groups than channels.
        dropout_prob: probability with which an output of a dense layer is dropped.
        reg_weight: weight of the L2 penalty on the kernels in :meth:`extra_loss`.
        final_activation: ``softmax`` over the classes, ``sigmoid`` or ``linear``; computed in float32 or wider.

    Raises:
        ValueError: when a number is out of range or the activation is unknown.

    Example::

        network = ClaraAlexNet(spatial_dims=2, in_channels=3, out_channels=2)
        probabilities = network(torch.rand(4, 3, 256, 256))  # (4, 2)
    """

    task: ClassVar[str] = "classification"

    def __init__(
        self,
        spatial_dims: int,
        in_channels: int,
        out_channels: int,
        features: Sequence[int] = (96, 256, 512, 1024, 1024, 3072, 4096),
        mil: bool = False,
        norm: NormSpec = ("group", {"num_groups": 8}),
        dropout_prob: float = 0.5,
        reg_weight: float = 0.0,
        final_activation: str = "softmax",
    ) -> None:
        widths = [int(n) for n in features]
        if len(widths) != len(_KERNELS) + 2 or min(widths) < 1:
            raise ValueError(f"features must be seven numbers of channels, at least 1 each, but they are {widths}")
        check_groups(norm, widths[:-2])
        super().__init__(spatial_dims, in_channels, out_channels, reg_weight=reg_weight, dropout_prob=dropout_prob)
        convolution = Conv[Conv.CONV, spatial_dims]
        layers: list[nn.Module] = []
        inputs = [in_channels, *widths]
        for i, (kernel, stride, pooled) in enumerate(zip(_KERNELS, _STRIDES, _POOLED, strict=True)):
            layers.append(
                convolution(inputs[i], widths[i], kernel, stride=stride, padding=kernel // 2, bias=norm is None)
            )
            layers += norm_activation(spatial_dims, widths[i], norm)
            if pooled:
                layers.append(Pool[Pool.MAX, spatial_dims](kernel_size=2, stride=2, ceil_mode=True))
        self.features = nn.Sequential(*layers)
        self.pool = Pool[Pool.ADAPTIVEMAX if mil else Pool.ADAPTIVEAVG, spatial_dims](1)
        self.mil = mil
        dense: list[nn.Module] = []  # convolutions of one voxel: a dense layer at every position
        for i in (5, 6):
            dense += [convolution(inputs[i], widths[i], kernel_size=1), nn.ReLU(inplace=True), nn.Dropout(dropout_prob)]
        self.classifier = nn.Sequential(*dense, convolution(widths[-1], out_channels, kernel_size=1))
        self.activation = FinalActivation(final_activation)
        tensorflow_initialisation_(self)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Classify.

        Args:
            image: (N, in_channels, spatial...).

        Returns:
            (N, out_channels), activated.

        Raises:
            ValueError: when the image has other dimensions.
        """
        if not torch.jit.is_tracing():
            self.check_image(image)
        features = self.features(image)
        logits = self.pool(self.classifier(features)) if self.mil else self.classifier(self.pool(features))
        return self.activation(logits.flatten(1))

    def deepest_voxels(self, sizes: Sequence[int]) -> int:
        """Return the voxels after a stride of 4 and two poolings, each rounded up: the last one follows the norms."""
        return math.prod(-(-size // 16) for size in sizes)
