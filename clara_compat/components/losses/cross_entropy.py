"""Clara's ``CrossEntropy``."""

from __future__ import annotations

from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.finite import require_finite
from clara_compat.components.losses.checks import (
    check_background,
    check_labels,
    check_probabilities,
    independent_channels,
)
from clara_compat.components.losses.native import NativeLoss
from clara_compat.errors import ClaraError

__all__ = ["CrossEntropy"]


class CrossEntropy(NativeLoss):
    """Cross entropy of every voxel on the network's probabilities.

    The signature is documented (clara-3.1 engine facts, section 2.2).

    Args:
        data_format: accepted; data are channel-first inside in any case.
        skip_background: leave channel 0 out.
        smooth: added to the probability before the logarithm.
        is_onehot_targets: the label has one channel per class.

    Raises:
        ClaraError: smooth is negative or not finite.
    """

    fidelity = assumed(
        "the formula is not documented: the mean over voxels of -log(p + smooth) of the voxel's class, voxels without "
        "one counting as 0; a single prediction channel is compared with the label as a foreground mask; each of "
        "several sigmoid channels adds a binary cross entropy, the mean over the channels"
    )
    becomes = "clara_compat.engine.losses.cross_entropy.ClaraCrossEntropyLoss"

    def __init__(
        self,
        data_format: str = "channels_first",
        skip_background: bool = False,
        smooth: float = 1e-8,
        is_onehot_targets: bool = False,
    ) -> None:
        NativeLoss.__init__(self)
        require_finite(smooth=smooth)
        if smooth < 0:
            raise ClaraError(f"smooth is {smooth} but must not be negative")
        self.data_format = data_format
        self.skip_background = skip_background
        self.smooth = smooth
        self.is_onehot_targets = is_onehot_targets

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the loss.

        Raises:
            ClaraError: the model's outputs do not suit it.
        """
        check_background(context, self.skip_background)
        check_probabilities(context, "CrossEntropy")
        check_labels(context, "CrossEntropy", self.is_onehot_targets)
        return Entry(
            "clara_compat.engine.losses.cross_entropy.ClaraCrossEntropyLoss",
            skip_background=self.skip_background,
            smooth=self.smooth,
            is_onehot_targets=self.is_onehot_targets,
            **independent_channels(context),
        )
