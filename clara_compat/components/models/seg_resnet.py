"""Clara's ``SegResnet``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext
from clara_compat.components.models._common import BuiltInModel, numbers
from clara_compat.errors import ClaraError

__all__ = ["SegResnet"]

_VAE_CHANNELS = 16


class SegResnet(BuiltInModel):
    """Encoder and decoder of residual blocks, with an autoencoder branch for training.

    Source: clara-3.1 engine facts, section 2.1.

    Args:
        num_classes: output channels.
        blocks_down: residual blocks of each level of the encoder, separated by commas; levels halve the size.
        blocks_up: residual blocks of each level of the decoder: one entry less.
        init_filters: channels at full size; twice as many at each halving.
        use_batch_norm: normalise over the batch.
        use_group_norm: normalise over groups of channels.
        use_group_normG: number of groups; never more than there are channels.
        reg_weight: weight of an L2 penalty on the kernels, half the sum of their squares.
        dropout_prob: probability with which a feature map is dropped after the first convolution.
        final_activation: ``softmax``, ``sigmoid`` or ``linear``.
        use_vae: train with a branch that reconstructs the image from the deepest features.
        dtype: only ``float32``; ``use_amp`` gives mixed precision.
        data_format: accepted; data are channel-first inside in any case.

    Raises:
        ClaraError: for a value outside these.
    """

    fidelity = assumed(
        "layers of Myronenko 2018 as the facts tell them; assumed: batch normalisation where both norms are asked for, "
        "torch's constants for the norms, no more groups than channels, linear doubling about voxel centres, a VAE "
        "branch with MONAI's layers and estimated standard deviations; a softmax over one channel is a sigmoid; L2 "
        "penalty and VAE count in the training's loss only"
    )
    becomes = "clara_compat.engine.networks.segresnet.ClaraSegResNet"
    shallower = " or fewer entries in blocks_down and blocks_up"

    def __init__(
        self,
        num_classes: int,
        blocks_down: str = "1,2,2,4",
        blocks_up: str = "1,1,1",
        init_filters: int = 8,
        use_batch_norm: bool = False,
        use_group_norm: bool = True,
        use_group_normG: int = 8,  # noqa: N803 - Clara's name
        reg_weight: float = 0.0,
        dropout_prob: float = 0.0,
        final_activation: str = "softmax",
        use_vae: bool = False,
        dtype: Any = "float32",
        data_format: str = "channels_first",
    ) -> None:
        BuiltInModel.__init__(
            self,
            num_classes,
            final_activation,
            data_format,
            dtype,
            use_batch_norm=use_batch_norm,
            use_group_norm=use_group_norm,
            use_group_normG=use_group_normG,
            reg_weight=reg_weight,
            dropout_prob=dropout_prob,
        )
        self.blocks_down = blocks_down
        self.blocks_up = blocks_up
        self.init_filters = init_filters
        self.use_vae = use_vae
        self._down = numbers("blocks_down", blocks_down)
        self._up = numbers("blocks_up", blocks_up) if blocks_up.strip() else []
        if len(self._up) != len(self._down) - 1:
            raise ClaraError(
                f"blocks_up has {len(self._up)} entries and blocks_down {len(self._down)}: "
                "blocks_up needs exactly one less than blocks_down"
            )
        if init_filters < 1:
            raise ClaraError(f"init_filters is {init_filters} but must be at least 1")
        self.check_groups([init_filters * 2**level for level in range(len(self._down))], "init_filters and its doubles")
        if use_vae:
            self.check_groups([_VAE_CHANNELS], "the VAE's code")

    @property
    def has_extra_loss(self) -> bool:
        """Whether the network adds something of its own to the loss in training."""
        return super().has_extra_loss or self.use_vae

    @property
    def halvings(self) -> int:
        """How often the network halves a size: between the levels of the encoder."""
        return len(self._up)

    def deepest_voxels(self, sizes: Sequence[int]) -> int:
        """Return the voxels of the deepest level, or of the code of the VAE branch, which halves once more."""
        return math.prod(size // 2 ** (self.halvings + self.use_vae) for size in sizes)

    def network_arguments(self, context: BundleContext) -> dict[str, Any]:
        """Return filters, blocks, normalisation, dropout, penalty and the VAE's image size.

        Raises:
            ClaraError: the VAE's image size is not known or cannot be halved as often as it does.
        """
        return {
            "init_filters": self.init_filters,
            "blocks_down": self._down,
            "blocks_up": self._up,
            "norm": self.norm(),
            "dropout_prob": self.dropout_prob,
            "reg_weight": self.reg_weight,
            "vae_image_size": self._vae_image_size(context) if self.use_vae else None,
        }

    def _vae_image_size(self, context: BundleContext) -> list[int]:
        size, divisor = list(context.crop_size or ()), 2 ** len(self._down)
        if not size or min(size) < 1:
            raise ClaraError(
                f"use_vae needs the size of the training images, but output_crop_size of the image pipeline is "
                f"{size or 'not given'}: give the size of the crops, or set use_vae to false"
            )
        if any(one % divisor for one in size):
            raise ClaraError(
                f"the VAE of SegResnet halves its input {len(self._down)} times, so every size must be a multiple of "
                f"{divisor}, but output_crop_size is {size}: use other sizes{self.shallower}, or set use_vae to false"
            )
        return size
