"""Clara's SegAhnet as a torch module."""

from __future__ import annotations

import torch
from monai.networks.nets import AHNet

from clara_compat.engine.networks.activation import FinalActivation
from clara_compat.engine.networks.network import ClaraNetwork

__all__ = ["ClaraAHNet"]

_PYRAMID = 4
_SMALLEST_WITH_PYRAMID = 2 ** (_PYRAMID + 3)


class ClaraAHNet(ClaraNetwork):
    """``monai.networks.nets.AHNet`` (Anisotropic Hybrid Network, Liu et al. 2018), ending in its own activation.

    Sizes are doubled by linear interpolation, as in the published network. MONAI's network takes the last spatial axis
    for the one of thick slices: kernels along it come last and its first halving is a pooling. Another axis is moved
    there and back. Weights start as MONAI's.

    Args:
        spatial_dims: 2 or 3.
        in_channels: channels of the image.
        out_channels: number of classes.
        psp: pool the last features over a pyramid of windows up to 128 voxels before the last layer.
        anisotropic_axis: spatial axis along which the slices lie, from 0.
        final_activation: ``softmax`` over the channels, ``sigmoid`` or ``linear``; computed in float32 or wider.

    Raises:
        ValueError: when a number is out of range or the activation is unknown.

    Example::

        network = ClaraAHNet(spatial_dims=3, in_channels=1, out_channels=2)
        probabilities = network(torch.rand(1, 1, 64, 64, 32))  # (1, 2, 64, 64, 32)
    """

    def __init__(
        self,
        spatial_dims: int,
        in_channels: int,
        out_channels: int,
        psp: bool = False,
        anisotropic_axis: int = -1,
        final_activation: str = "softmax",
    ) -> None:
        super().__init__(spatial_dims, in_channels, out_channels, halvings=5)
        if not -1 <= anisotropic_axis < spatial_dims:
            raise ValueError(f"anisotropic_axis must be one of {spatial_dims} axes from 0 but is {anisotropic_axis}")
        self.axis = anisotropic_axis if anisotropic_axis < 0 else 2 + anisotropic_axis
        self.psp = psp
        self.net = AHNet(
            spatial_dims=spatial_dims,
            in_channels=in_channels,
            out_channels=out_channels,
            psp_block_num=_PYRAMID if psp else 0,
            upsample_mode="bilinear" if spatial_dims == 2 else "trilinear",
        )
        self.activation = FinalActivation(final_activation)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Predict.

        Args:
            image: (N, in_channels, spatial...), every size a multiple of 32, with ``psp`` at least 128 but along the
                anisotropic axis.

        Returns:
            (N, out_channels, spatial...), activated.

        Raises:
            ValueError: when the image has other dimensions or sizes.
        """
        if not torch.jit.is_tracing():
            self.check_image(image)
        image = image.movedim(self.axis, -1)
        return self.activation(self.net(image).movedim(-1, self.axis))

    def check_image(self, image: torch.Tensor) -> None:
        """Check an input (N, in_channels, spatial...).

        Raises:
            ValueError: when the image has other dimensions or sizes, or batch normalisation cannot be trained with it.
        """
        super().check_image(image)
        image = image.movedim(self.axis, -1)
        if self.psp and min(image.shape[2:-1]) < _SMALLEST_WITH_PYRAMID:
            raise ValueError(
                f"if_use_psp pools over {_SMALLEST_WITH_PYRAMID} voxels: sizes within a slice must be at least that "
                f"but the input is {list(image.shape[2:])}, slices last"
            )
