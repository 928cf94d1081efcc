"""Clara's ``CrossEntropyDice``."""

from __future__ import annotations

from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.finite import require_finite
from clara_compat.components.losses.checks import check_weights
from clara_compat.components.losses.cross_entropy import CrossEntropy
from clara_compat.components.losses.dice import Dice
from clara_compat.components.losses.native import NativeLoss

__all__ = ["CrossEntropyDice"]


class CrossEntropyDice(NativeLoss):
    """The sum of ``CrossEntropy`` and ``Dice``.

    Only the name is known (clara-3.1 engine facts, section 2.2): the arguments are those of both parts.

    Args:
        data_format: accepted; data are channel-first inside in any case.
        skip_background: leave channel 0 out of both parts.
        squared_pred: Dice: use squares of predictions and targets in the denominator.
        jaccard: Dice: take the intersection off the denominator.
        smooth: Dice: added to the denominator.
        top_smooth: Dice: added to the numerator.
        is_onehot_targets: the label has one channel per class.
        cross_entropy_smooth: cross entropy: added to the probability before the logarithm.
        cross_entropy_weight: factor of the cross entropy.
        dice_weight: factor of the Dice loss.

    Raises:
        ClaraError: when cross_entropy_smooth or a weight is negative, or both weights are 0.
    """

    fidelity = assumed(
        "arguments and weights are not documented: the sum of CrossEntropy and Dice with the arguments of both, each "
        "with the weight 1 (cross_entropy_weight, dice_weight); smooth is that of Dice"
    )
    becomes = "clara_compat.engine.losses.weighted_sum.WeightedSumLoss of ClaraCrossEntropyLoss and ClaraDiceLoss"
    undocumented = True

    def __init__(
        self,
        data_format: str = "channels_first",
        skip_background: bool = False,
        squared_pred: bool = False,
        jaccard: bool = False,
        smooth: float = 1e-5,
        top_smooth: float = 0.0,
        is_onehot_targets: bool = False,
        cross_entropy_smooth: float = 1e-8,
        cross_entropy_weight: float = 1.0,
        dice_weight: float = 1.0,
    ) -> None:
        NativeLoss.__init__(self)
        require_finite(cross_entropy_smooth=cross_entropy_smooth)
        check_weights(cross_entropy_weight=cross_entropy_weight, dice_weight=dice_weight)
        self.cross_entropy = CrossEntropy(data_format, skip_background, cross_entropy_smooth, is_onehot_targets)
        self.dice = Dice(data_format, skip_background, squared_pred, jaccard, smooth, top_smooth, is_onehot_targets)
        self.weights = [cross_entropy_weight, dice_weight]

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the loss.

        Raises:
            ClaraError: the model's outputs do not suit it.
        """
        return Entry(
            "clara_compat.engine.losses.weighted_sum.WeightedSumLoss",
            losses=[self.cross_entropy.bundle_entry(context), self.dice.bundle_entry(context)],
            weights=self.weights,
        )
