"""Clara's ``Alexnet``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext
from clara_compat.components.models._common import BuiltInModel, numbers
from clara_compat.errors import ClaraError

__all__ = ["Alexnet"]

_FEATURES = 7


class Alexnet(BuiltInModel):
    """Classifier of five convolutions and three dense layers, in 2-D or 3-D.

    Source: clara-3.1 engine facts, section 2.1.

    Args:
        num_classes: output channels.
        num_feat: seven numbers separated by commas: channels of five convolutions and two dense layers.
        mil: multiple instances: classify every position and take the largest value of each class.
        use_batch_norm: normalise over the batch.
        use_group_norm: normalise over groups of channels.
        use_group_normG: number of groups; never more than there are channels.
        reg_weight: weight of an L2 penalty on the kernels, half the sum of their squares.
        dropout_prob: probability with which an output of a dense layer is dropped.
        final_activation: ``softmax``, ``sigmoid`` or ``linear``.
        dtype: only ``float32``; ``use_amp`` gives mixed precision.
        data_format: accepted; data are channel-first inside in any case.

    Raises:
        ClaraError: for a value outside these.
    """

    task: ClassVar[str] = "classification"
    fidelity = assumed(
        "NVIDIA documented the arguments, not the layers: those of OverFeat's fast model, whose numbers of channels "
        "the defaults are, the first convolution padded by 5 voxels on both sides, dense layers on the mean over the "
        "image; mil is the maximum over positions; batch normalisation where both norms are asked for, torch's "
        "constants for the norms; a softmax over one channel is a sigmoid; the L2 penalty counts in the training's "
        "loss only"
    )
    becomes = "clara_compat.engine.networks.alexnet.ClaraAlexNet"

    def __init__(
        self,
        num_classes: int,
        num_feat: str = "96,256,512,1024,1024,3072,4096",
        mil: bool = False,
        use_batch_norm: bool = False,
        use_group_norm: bool = True,
        use_group_normG: int = 8,  # noqa: N803 - Clara's name
        reg_weight: float = 0.0,
        dropout_prob: float = 0.5,
        final_activation: str = "softmax",
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
        self.num_feat = num_feat
        self.mil = mil
        self._features = numbers("num_feat", num_feat)
        if len(self._features) != _FEATURES:
            raise ClaraError(
                f"num_feat has {len(self._features)} numbers, expected {_FEATURES}: of five convolutions and two dense "
                "layers"
            )
        self.check_groups(self._features[:-2], "num_feat")

    def deepest_voxels(self, sizes: Sequence[int]) -> int:
        """Return the voxels after a stride of 4 and two poolings, each rounded up: the last one follows the norms."""
        return math.prod(-(-size // 16) for size in sizes)

    def network_arguments(self, context: BundleContext) -> dict[str, Any]:
        """Return channels, pooling, normalisation, dropout and penalty."""
        return {
            "features": self._features,
            "mil": self.mil,
            "norm": self.norm(),
            "dropout_prob": self.dropout_prob,
            "reg_weight": self.reg_weight,
        }
