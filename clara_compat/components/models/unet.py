"""Clara's ``Unet``."""

from __future__ import annotations

from typing import Any

from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext
from clara_compat.components.models._common import BuiltInModel, numbers
from clara_compat.errors import ClaraError

__all__ = ["Unet"]


class Unet(BuiltInModel):
    """U-Net with stride-2 convolutions in the encoder.

    Names of the arguments: clara-3.1 engine facts, section 2.1.

    Args:
        num_classes: output channels.
        nf_enc: channels of the encoder's convolutions, separated by commas; each halves the size.
        nf_dec: channels of the decoder's convolutions: at least two more than in ``nf_enc``.
        use_batch_norm: normalise over the batch.
        use_group_norm: normalise over groups of channels.
        use_group_normG: number of groups; never more than there are channels.
        reg_weight: weight of an L2 penalty on the kernels, half the sum of their squares.
        dropout_prob: probability with which a feature map is dropped.
        final_activation: ``softmax``, ``sigmoid`` or ``linear``.
        data_format: accepted; data are channel-first inside in any case.
        dtype: only ``float32``; ``use_amp`` gives mixed precision.

    Raises:
        ClaraError: for a value outside these.
    """

    fidelity = assumed(
        "NVIDIA did not document the layers: VoxelMorph's U-Net (whose lists of channels have the same lengths), ReLU, "
        "bias only without normalisation, feature maps dropped after each activation, torch's constants for the norms; "
        "a softmax over one channel is a sigmoid; the L2 penalty counts in the training's loss only"
    )
    becomes = "clara_compat.engine.networks.unet.ClaraUNet"
    shallower = " or fewer entries in nf_enc"

    def __init__(
        self,
        num_classes: int,
        nf_enc: str = "32,64,64,64",
        nf_dec: str = "64,64,64,64,64,32,32",
        use_batch_norm: bool = False,
        use_group_norm: bool = False,
        use_group_normG: int = 8,  # noqa: N803 - Clara's name
        reg_weight: float = 0.0,
        dropout_prob: float = 0.0,
        final_activation: str = "softmax",
        data_format: str = "channels_first",
        dtype: Any = "float32",
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
        self.nf_enc = nf_enc
        self.nf_dec = nf_dec
        self._encoder = numbers("nf_enc", nf_enc)
        self._decoder = numbers("nf_dec", nf_dec)
        if len(self._decoder) < len(self._encoder) + 2:
            raise ClaraError(
                f"nf_dec has {len(self._decoder)} entries and nf_enc {len(self._encoder)}: "
                "nf_dec needs at least two more than nf_enc"
            )
        self.check_groups(self._encoder + self._decoder, "nf_enc or nf_dec")

    @property
    def halvings(self) -> int:
        """How often the network halves a size: once for each entry of ``nf_enc``."""
        return len(self._encoder)

    def network_arguments(self, context: BundleContext) -> dict[str, Any]:
        """Return channels, normalisation, dropout and penalty."""
        return {
            "encoder_channels": self._encoder,
            "decoder_channels": self._decoder,
            "norm": self.norm(),
            "dropout_prob": self.dropout_prob,
            "reg_weight": self.reg_weight,
        }
