"""Clara's ``UnetParallel``."""

from __future__ import annotations

from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext
from clara_compat.components.models.unet import Unet

__all__ = ["UnetParallel"]


class UnetParallel(Unet):
    """The U-Net whose layers Clara distributed over several GPUs, on one device.

    NVIDIA documented the name only (clara-3.1 engine facts, section 2.1): the arguments are those of ``Unet``.
    """

    fidelity = assumed("NVIDIA did not document it: the network of Unet with its arguments, whole on one device")
    undocumented = True

    def notices(self, context: BundleContext) -> list[str]:
        """Say that nothing is distributed."""
        return [
            *super().notices(context),
            "UnetParallel is not spread over several GPUs: the same network runs whole on one device",
        ]
