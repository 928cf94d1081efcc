"""Clara's ``Unet``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clara_compat.components.component import Component, assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.models.model import Model
from clara_compat.errors import ClaraError, suggestion

__all__ = ["Unet"]

_ACTIVATIONS = ("softmax", "sigmoid", "linear")
_DATA_FORMATS = ("channels_first", "channels_last")


class Unet(Component, Model):
    """U-Net with stride-2 convolutions in the encoder.

    Spatial dimensions and input channels come from the image pipeline (clara-3.1 facts, README). Names of the
    arguments: clara-3.1 engine facts, section 2.1.

    Args:
        num_classes: output channels.
        nf_enc: channels of the encoder's convolutions, separated by commas; each halves the size.
        nf_dec: channels of the decoder's convolutions: at least two more than in ``nf_enc``.
        use_batch_norm: normalise over the batch.
        use_group_norm: normalise over groups of channels.
        use_group_normG: number of groups.
        reg_weight: weight of an L2 penalty on the kernels; only 0.
        dropout_prob: probability with which a feature map is dropped.
        final_activation: ``softmax``, ``sigmoid`` or ``linear``.
        data_format: accepted; data are channel-first inside in any case.
        dtype: only ``float32``; ``use_amp`` gives mixed precision.

    Raises:
        ClaraError: for a value outside these.
    """

    fidelity = assumed(
        "NVIDIA did not document the layers: VoxelMorph's U-Net (whose lists of channels have the same lengths), ReLU, "
        "bias only without normalisation, feature maps dropped after each activation, torch's constants for the norms"
    )
    becomes = "clara_compat.engine.networks.unet.ClaraUNet"

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
        Model.__init__(self)
        self.num_classes = num_classes
        self.nf_enc = nf_enc
        self.nf_dec = nf_dec
        self.use_batch_norm = use_batch_norm
        self.use_group_norm = use_group_norm
        self.use_group_normG = use_group_normG
        self.reg_weight = reg_weight
        self.dropout_prob = dropout_prob
        self.final_activation = final_activation
        self.data_format = data_format
        self.dtype = dtype
        self._encoder = _channels("nf_enc", nf_enc)
        self._decoder = _channels("nf_dec", nf_dec)
        self._check()

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the network for the image of ``context``.

        Raises:
            ClaraError: the declared crop size cannot be halved as often as the encoder does.
        """
        self.check_size("output_crop_size", context.crop_size or ())
        norm: Any = None
        if self.use_batch_norm:
            norm = "batch"
        elif self.use_group_norm:
            norm = ["group", {"num_groups": self.use_group_normG}]
        return Entry(
            "clara_compat.engine.networks.unet.ClaraUNet",
            spatial_dims=context.spatial_dims,
            in_channels=context.in_channels,
            out_channels=self.num_classes,
            encoder_channels=self._encoder,
            decoder_channels=self._decoder,
            norm=norm,
            dropout_prob=self.dropout_prob,
            final_activation=self.final_activation.lower(),
        )

    def check_size(self, name: str, sizes: Sequence[int]) -> None:
        """Check that the network can take an input of these spatial sizes.

        Args:
            name: what the sizes are, for the message: ``output_crop_size``, ``roi_size``.
            sizes: sizes in voxels; -1 is not known and passes.

        Raises:
            ClaraError: a size cannot be halved as often as the encoder does.
        """
        divisor = 2 ** len(self._encoder)
        if any(size > 0 and size % divisor for size in sizes):
            raise ClaraError(
                f"the Unet halves its input {len(self._encoder)} times, so every size must be a multiple of {divisor}, "
                f"but {name} is {list(sizes)}: use other sizes or fewer entries in nf_enc"
            )

    def _check(self) -> None:
        if self.num_classes < 1:
            raise ClaraError(f"num_classes is {self.num_classes} but must be at least 1")
        if len(self._decoder) < len(self._encoder) + 2:
            raise ClaraError(
                f"nf_dec has {len(self._decoder)} entries and nf_enc {len(self._encoder)}: "
                "nf_dec needs at least two more than nf_enc"
            )
        if self.use_batch_norm and self.use_group_norm:
            raise ClaraError("use_batch_norm and use_group_norm are both true: set one of them to false")
        if self.use_group_norm:
            groups = self.use_group_normG
            uneven = [n for n in self._encoder + self._decoder if groups < 1 or n % groups]
            if uneven:
                raise ClaraError(
                    f"use_group_normG is {groups}, which does not divide the {uneven[0]} channels of nf_enc or nf_dec: "
                    "choose a number that divides all of them"
                )
        if self.reg_weight != 0.0:
            raise ClaraError(
                f"reg_weight is {self.reg_weight} but the L2 penalty is not supported yet: leave it out or set it to 0"
            )
        if not 0.0 <= self.dropout_prob < 1.0:
            raise ClaraError(f"dropout_prob is {self.dropout_prob} but must be at least 0 and below 1")
        for name, value, known in (
            ("final_activation", self.final_activation, _ACTIVATIONS),
            ("data_format", self.data_format, _DATA_FORMATS),
        ):
            if value.lower() not in known:
                raise ClaraError(f"{name} is '{value}', expected one of {', '.join(known)}{suggestion(value, known)}")
        if "float32" not in str(self.dtype):
            raise ClaraError(f"dtype is {self.dtype}, expected float32: use_amp gives mixed precision")


def _channels(name: str, text: str) -> list[int]:
    """Return the numbers of a list such as ``32,64,64,64``."""
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if not numbers or min(numbers) < 1:
        raise ClaraError(f"{name} is '{text}', expected positive whole numbers separated by commas, such as '32,64,64'")
    return numbers
