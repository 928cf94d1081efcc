"""Clara's ``SegAhnet``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext
from clara_compat.components.models._common import BuiltInModel, check_dims, pretrained_notice
from clara_compat.errors import ClaraError, suggestion

__all__ = ["SegAhnet"]

_PLANES = ("x", "y", "z")
_SMALLEST_WITH_PYRAMID = 128


class SegAhnet(BuiltInModel):
    """Anisotropic hybrid network: a ResNet-50 within slices, dense layers along and within them.

    Source: clara-3.1 engine facts, section 2.1.

    Args:
        num_classes: output channels.
        if_use_psp: pool the last features over a pyramid of windows up to 128 voxels before the last layer.
        plane: axis along which the slices lie, ``x``, ``y`` or ``z``: first, second, third array axis; in 2-D ``y`` and
            ``z`` are the second.
        pretrain_weight_name: file of ImageNet weights; not read.
        pretrain_weight_url: where to fetch that file; not fetched.
        final_activation: ``softmax``, ``sigmoid`` or ``linear``.
        dtype: only ``float32``; ``use_amp`` gives mixed precision.
        data_format: accepted; data are channel-first inside in any case.
        n_spatial_dim: 2 or 3; that of the image pipeline.

    Raises:
        ClaraError: for a value outside these.
    """

    fidelity = assumed(
        "MONAI's AHNet with linear doubling, in 2-D MONAI's two-dimensional form of it; assumed: torch's constants for "
        "the norms, axis of plane, n_spatial_dim from the image pipeline when it is left out; a softmax over one "
        "channel is a sigmoid; ImageNet weights, which Clara fetched when none were named, are not used"
    )
    becomes = "clara_compat.engine.networks.ahnet.ClaraAHNet"

    def __init__(
        self,
        num_classes: int,
        if_use_psp: bool = False,
        plane: str = "z",
        pretrain_weight_name: str | list[str] | None = None,
        pretrain_weight_url: str | list[str] | None = None,
        final_activation: str = "softmax",
        dtype: Any = "float32",
        data_format: str = "channels_first",
        n_spatial_dim: int | None = None,
    ) -> None:
        BuiltInModel.__init__(self, num_classes, final_activation, data_format, dtype)
        self.if_use_psp = if_use_psp
        self.plane = plane
        self.pretrain_weight_name = pretrain_weight_name
        self.pretrain_weight_url = pretrain_weight_url
        self.n_spatial_dim = n_spatial_dim
        if plane.lower() not in _PLANES:
            raise ClaraError(f"plane is '{plane}', expected one of {', '.join(_PLANES)}{suggestion(plane, _PLANES)}")

    @property
    def halvings(self) -> int:
        """How often the network halves a size."""
        return 5

    @property
    def normalises_over_batch(self) -> bool:
        """Whether the network has batch normalisation: always."""
        return True

    def check_size(self, name: str, sizes: Sequence[int]) -> None:
        """Check that the network can take an input of these spatial sizes.

        Raises:
            ClaraError: a size cannot be halved five times, or is too small for the pyramid.
        """
        super().check_size(name, sizes)
        axis = self._axis(len(sizes))
        within = [size for place, size in enumerate(sizes) if place != axis and size > 0]
        if self.if_use_psp and within and min(within) < _SMALLEST_WITH_PYRAMID:
            raise ClaraError(
                f"if_use_psp pools over {_SMALLEST_WITH_PYRAMID} voxels, so sizes within a slice must be at least "
                f"that, but {name} is {list(sizes)}: use larger sizes or set if_use_psp to false"
            )

    def notices(self, context: BundleContext) -> list[str]:
        """Say that no pretrained weights are read."""
        named = pretrained_notice(self.pretrain_weight_name, self.pretrain_weight_url)
        if not named and self.pretrain_weight_name is None and self.pretrain_weight_url is None:
            named = ["Clara fetched ImageNet weights when none were named: here SegAhnet starts from random weights"]
        return [*super().notices(context), *named]

    def network_arguments(self, context: BundleContext) -> dict[str, Any]:
        """Return the pyramid and the anisotropic axis.

        Raises:
            ClaraError: ``n_spatial_dim`` is not that of the pipeline.
        """
        check_dims(self.n_spatial_dim, context)
        return {"psp": self.if_use_psp, "anisotropic_axis": self._axis(context.spatial_dims)}

    def _axis(self, spatial_dims: int) -> int:
        return min(_PLANES.index(self.plane.lower()), spatial_dims - 1)
