"""Clara's ``DenseNet121``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext
from clara_compat.components.models._common import BuiltInModel, check_dims, pretrained_notice
from clara_compat.errors import ClaraError

__all__ = ["DenseNet121"]

_SMALLEST, _LARGEST_TO_ONE = 29, 60
"""Sizes of which one voxel is left when they are halved five times."""


class DenseNet121(BuiltInModel):
    """Densely connected classifier of 121 layers.

    NVIDIA documented the name; ``weight_decay``, ``pretrain_weight_name`` and ``n_spatial_dim`` were seen in use
    (clara-3.1 facts, README).

    Args:
        num_classes: output channels.
        weight_decay: weight of an L2 penalty on the kernels, half the sum of their squares.
        pretrain_weight_name: file of pretrained weights; not read.
        pretrain_weight_url: where to fetch that file; not fetched.
        final_activation: ``softmax``, ``sigmoid`` or ``linear``.
        dropout_prob: probability with which a feature map is dropped after each dense layer.
        dtype: only ``float32``; ``use_amp`` gives mixed precision.
        data_format: accepted; data are channel-first inside in any case.
        n_spatial_dim: 2 or 3; that of the image pipeline.

    Raises:
        ClaraError: for a value outside these.
    """

    task: ClassVar[str] = "classification"
    fidelity = assumed(
        "NVIDIA did not document its arguments: MONAI's DenseNet121 with torch's constants for the norms and "
        "TensorFlow's first weights, weight_decay as an L2 penalty in the training's loss, n_spatial_dim from the "
        "image pipeline when it is left out; a softmax over one channel is a sigmoid; pretrained weights are not used"
    )
    becomes = "clara_compat.engine.networks.densenet.ClaraDenseNet121"
    undocumented = True
    reg_weight_name = "weight_decay"

    def __init__(
        self,
        num_classes: int,
        weight_decay: float = 0.0,
        pretrain_weight_name: str | list[str] | None = None,
        pretrain_weight_url: str | list[str] | None = None,
        final_activation: str = "softmax",
        dropout_prob: float = 0.0,
        dtype: Any = "float32",
        data_format: str = "channels_first",
        n_spatial_dim: int | None = None,
    ) -> None:
        BuiltInModel.__init__(
            self, num_classes, final_activation, data_format, dtype, reg_weight=weight_decay, dropout_prob=dropout_prob
        )
        self.weight_decay = weight_decay
        self.pretrain_weight_name = pretrain_weight_name
        self.pretrain_weight_url = pretrain_weight_url
        self.n_spatial_dim = n_spatial_dim

    @property
    def normalises_over_batch(self) -> bool:
        """Whether the network has batch normalisation: always."""
        return True

    def deepest_voxels(self, sizes: Sequence[int]) -> int:
        """Return how many voxels are left of the smallest features: one, or more than that."""
        return 1 if max(sizes) <= _LARGEST_TO_ONE else 2

    def check_size(self, name: str, sizes: Sequence[int]) -> None:
        """Check that the network can take an input of these spatial sizes.

        Raises:
            ClaraError: a size is too small.
        """
        if any(0 < size < _SMALLEST for size in sizes):
            raise ClaraError(
                f"DenseNet121 halves its input five times, so sizes must be at least {_SMALLEST}, "
                f"but {name} is {list(sizes)}: use larger sizes"
            )

    def notices(self, context: BundleContext) -> list[str]:
        """Say that no pretrained weights are read."""
        return [
            *super().notices(context),
            *pretrained_notice(self.pretrain_weight_name, self.pretrain_weight_url),
        ]

    def network_arguments(self, context: BundleContext) -> dict[str, Any]:
        """Return dropout and penalty.

        Raises:
            ClaraError: ``n_spatial_dim`` is not that of the pipeline.
        """
        check_dims(self.n_spatial_dim, context)
        return {"dropout_prob": self.dropout_prob, "reg_weight": self.reg_weight}
