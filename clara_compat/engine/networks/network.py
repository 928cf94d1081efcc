"""What Clara's networks have in common."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from clara_compat.engine.networks.initialisation import KERNEL_LAYERS

__all__ = ["ClaraNetwork"]


class ClaraNetwork(nn.Module):
    """Base of Clara's networks: the number of channels, what sizes they take, and their own part of the loss.

    A subclass builds its layers, ends in a :class:`~clara_compat.engine.networks.activation.FinalActivation` named
    ``activation``, and calls :meth:`check_image` first in its ``forward``, but when it is traced.

    Args:
        spatial_dims: 2 or 3.
        in_channels: channels of the image.
        out_channels: number of classes.
        halvings: how often the image's size is halved: every size must be a multiple of 2 to this power.
        reg_weight: weight of the L2 penalty on the kernels, see :meth:`extra_loss`.
        dropout_prob: checked here, used by the subclass.

    Raises:
        ValueError: when a number is out of range.
    """

    task: ClassVar[str] = "segmentation"
    """``segmentation``: predictions (N, out_channels, spatial...); ``classification``: (N, out_channels)."""

    def __init__(
        self,
        spatial_dims: int,
        in_channels: int,
        out_channels: int,
        halvings: int = 0,
        reg_weight: float = 0.0,
        dropout_prob: float = 0.0,
    ) -> None:
        super().__init__()
        if spatial_dims not in (2, 3):
            raise ValueError(f"spatial_dims must be 2 or 3 but is {spatial_dims}")
        if min(in_channels, out_channels) < 1:
            raise ValueError(
                f"numbers of channels must be at least 1: got in_channels {in_channels}, out_channels {out_channels}"
            )
        if reg_weight < 0:
            raise ValueError(f"reg_weight must not be negative but is {reg_weight}")
        if not 0.0 <= dropout_prob < 1.0:
            raise ValueError(f"dropout_prob must be at least 0 and below 1 but is {dropout_prob}")
        self.spatial_dims = spatial_dims
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.halvings = halvings
        self.divisor = 2**halvings
        self.reg_weight = float(reg_weight)

    def check_image(self, image: torch.Tensor) -> None:
        """Check an input (N, in_channels, spatial...).

        Args:
            image: what it is called with.

        Raises:
            ValueError: when it has other dimensions or a size that cannot be halved as often as the network does, or
                batch normalisation cannot be trained with it.
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
                    f"the network halves its input {self.halvings} times: every size must be a multiple of "
                    f"{self.divisor} but the input is {list(sizes)}"
                )
        if not torch.jit.is_scripting():
            self._check_batch_norm(image)

    def deepest_voxels(self, sizes: Sequence[int]) -> int:
        """Return how many voxels an image of these spatial sizes has at least where its features are normalised.

        Args:
            sizes: voxels per axis of the image.
        """
        return math.prod(size // self.divisor for size in sizes)

    def _check_batch_norm(self, image: torch.Tensor) -> None:
        sizes = image.shape[2:]
        if not self.training or image.shape[0] != 1 or self.deepest_voxels(sizes) != 1:
            return
        if any(isinstance(layer, _BatchNorm) for layer in self.modules()):
            raise ValueError(
                f"batch normalisation needs more than one value to train with, and the deepest features of one image "
                f"of {list(sizes)} are one voxel: train on larger images or more of them at once"
            )

    def extra_loss(self) -> torch.Tensor:
        """Return what the network adds to the loss of a training step, a scalar.

        It is TensorFlow's ``l2_regularizer(reg_weight)`` of every kernel of a convolution or dense layer:
        ``reg_weight / 2`` times the sum of its squares (biases and normalisations are left out), and whatever a
        subclass adds. Clara's ``Model.get_loss`` (clara-3.1 engine facts, section 2.0).
        """
        if self.reg_weight == 0.0:
            return next(self.parameters()).new_zeros(())
        kernels = [layer.weight for layer in self.modules() if isinstance(layer, KERNEL_LAYERS)]
        norms = torch._foreach_norm(kernels)  # noqa: SLF001 - one call for all, as in torch's own optimizers
        return 0.5 * self.reg_weight * torch.stack(norms).square().sum()
