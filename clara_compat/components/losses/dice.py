"""Clara's ``Dice``."""

from __future__ import annotations

from clara_compat.components.component import approximate
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.finite import require_finite
from clara_compat.components.losses.checks import check_background, check_labels
from clara_compat.components.losses.native import NativeLoss

__all__ = ["Dice"]


class Dice(NativeLoss):
    """One minus the mean Dice over samples and channels.

    Source: ``MyClonedDiceLoss`` of the Clara 3.1 page "Bring your own components".

    Args:
        data_format: accepted; data are channel-first inside in any case.
        skip_background: leave channel 0 out.
        squared_pred: use squares of predictions and targets in the denominator.
        jaccard: take the intersection off the denominator.
        smooth: added to the denominator.
        top_smooth: added to the numerator.
        is_onehot_targets: the label has one channel per class.

    Raises:
        ClaraError: smooth or top_smooth is not finite.
    """

    fidelity = approximate(
        "the published maths exactly for several channels and for one-hot targets; a single prediction channel is "
        "compared with class indices as a foreground mask (assumed), where the published loss would take the background"
    )
    becomes = "clara_compat.engine.losses.dice.ClaraDiceLoss"

    def __init__(
        self,
        data_format: str = "channels_first",
        skip_background: bool = False,
        squared_pred: bool = False,
        jaccard: bool = False,
        smooth: float = 1e-5,
        top_smooth: float = 0.0,
        is_onehot_targets: bool = False,
    ) -> None:
        NativeLoss.__init__(self)
        require_finite(smooth=smooth, top_smooth=top_smooth)
        self.data_format = data_format
        self.skip_background = skip_background
        self.squared_pred = squared_pred
        self.jaccard = jaccard
        self.smooth = smooth
        self.top_smooth = top_smooth
        self.is_onehot_targets = is_onehot_targets

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the loss.

        Raises:
            ClaraError: the model's outputs or the labels do not suit it.
        """
        check_background(context, self.skip_background)
        check_labels(context, "Dice", self.is_onehot_targets)
        return Entry(
            "clara_compat.engine.losses.dice.ClaraDiceLoss",
            skip_background=self.skip_background,
            squared_pred=self.squared_pred,
            jaccard=self.jaccard,
            smooth=self.smooth,
            top_smooth=self.top_smooth,
            is_onehot_targets=self.is_onehot_targets,
        )
