"""Clara's ``ScaleShiftIntensity``."""

from __future__ import annotations

from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.transforms.multi_field_transformer import MultiFieldTransformer
from clara_compat.components.transforms.native import NativeTransform
from clara_compat.errors import ClaraError

__all__ = ["ScaleShiftIntensity"]


class ScaleShiftIntensity(NativeTransform, MultiFieldTransformer):
    """Scale and shift the intensities of each channel at random.

    Source: clara-3.1-transforms facts, section 4.5.

    Args:
        fields: fields that hold images.
        scale: half width of the scale's range around 1.
        shift: half width of the shift's range, in standard deviations of the channel.
    """

    fidelity = assumed(
        "not documented: per field and channel x (1 + U(-scale, scale)), then + U(-shift, shift) standard deviations "
        "of the channel, every time, as the BraTS 2018 winner published it"
    )
    becomes = "clara_compat.engine.transforms.scale_shift_intensity.RandScaleShiftIntensityd"

    def __init__(self, fields: str | list[str], scale: float = 0.1, shift: float = 0.1) -> None:
        MultiFieldTransformer.__init__(self, fields)
        if scale < 0 or shift < 0:
            raise ClaraError(f"scale and shift are {scale} and {shift}, expected numbers of at least 0")
        self.scale = scale
        self.shift = shift

    def is_deterministic(self) -> bool:
        """Return False."""
        return False

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the augmentation."""
        return Entry(self.becomes, keys=self.fields, scale=self.scale, shift=self.shift)
