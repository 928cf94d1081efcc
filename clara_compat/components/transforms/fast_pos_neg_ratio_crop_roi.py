"""Clara's ``FastPosNegRatioCropROI``."""

from __future__ import annotations

from clara_compat.common.dtype_utils import str_to_bool
from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.transforms._checks import FOREGROUND
from clara_compat.components.transforms._pos_neg_crop import RARE_CASES, PosNegCrop
from clara_compat.errors import ClaraError

__all__ = ["FastPosNegRatioCropROI"]


class FastPosNegRatioCropROI(PosNegCrop):
    """Cut a region around a foreground or background voxel, optionally warped; with ``batch_size`` a list of them.

    Source: clara-3.1-transforms facts, sections 4.8 and 10.

    Args:
        size: voxels per spatial axis.
        image_field: field with the image.
        label_field: field with its label.
        pos: weight of foreground centres.
        neg: weight of background centres.
        deform: displace the voxels smoothly; this, ``rotation`` and ``scale`` are on when None.
        rotation: turn by up to ``rotation_degree`` either way about each axis.
        rotation_degree: degrees.
        scale: scale by up to ``scale_factor`` either way.
        scale_factor: below 1.
        fast_crop: accepted; the search is fast in any case.
        batch_size: number of regions, each with its own draws, as a list (also 1); one region and no list when None.

    Raises:
        ClaraError: an argument is out of its range.
    """

    fidelity = assumed(
        "defaults and laws are not documented: pos, neg 1; deform, rotation and scale are on unless switched off; an "
        "angle U(-rotation_degree, rotation_degree) about each axis, one factor U(1 - scale_factor, 1 + scale_factor), "
        "a smooth Gaussian displacement of up to 2.3 voxels standard deviation (batchgenerators' defaults in 3-D; the "
        f"same in 2-D); image linear, label nearest; {RARE_CASES}; with batch_size a list of regions, each with draws "
        f"of its own; {FOREGROUND}"
    )

    def __init__(
        self,
        size: list[int],
        image_field: str,
        label_field: str,
        pos: float = 1,
        neg: float = 1,
        deform: bool | None = None,
        rotation: bool | None = None,
        rotation_degree: float = 20,
        scale: bool | None = None,
        scale_factor: float = 0.1,
        fast_crop: bool = True,
        batch_size: int | None = None,
    ) -> None:
        super().__init__(size, image_field, label_field, pos, neg, batch_size)
        if not 0 <= scale_factor < 1:
            raise ClaraError(f"argument 'scale_factor' is {scale_factor}, expected a number from 0 to below 1")
        self.image_field = image_field
        options = {"deform": deform, "rotation": rotation, "scale": scale}
        self.left_out = [name for name, value in options.items() if value is None]
        self.deform, self.rotation, self.scale = (value is None or str_to_bool(value) for value in options.values())
        self.rotation_degree = rotation_degree
        self.scale_factor = scale_factor
        self.fast_crop = fast_crop

    def notices(self, context: BundleContext) -> list[str]:
        """Say which of the warps run because the config does not mention them."""
        if not self.left_out:
            return []
        one = len(self.left_out) == 1
        names = " and ".join(self.left_out)
        return [f"{names} {'is' if one else 'are'} not given, so {'it is' if one else 'they are'} on (assumed default)"]

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the crop.

        Raises:
            ClaraError: ``size`` has another number of axes than the images.
        """
        entry = super().bundle_entry(context)
        entry.arguments |= {
            "rotate_degrees": self.rotation_degree if self.rotation else None,
            "scale_factor": self.scale_factor if self.scale else None,
            "deform": self.deform,
        }
        return entry
