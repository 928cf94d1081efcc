"""Clara's ``FocalDice``."""

from __future__ import annotations

from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.losses.checks import check_weights
from clara_compat.components.losses.dice import Dice
from clara_compat.components.losses.focal import Focal
from clara_compat.components.losses.native import NativeLoss

__all__ = ["FocalDice"]


class FocalDice(NativeLoss):
    """The sum of ``Focal`` and ``Dice``.

    Only the name is known (clara-3.1 engine facts, section 2.2): the arguments are those of both parts.

    Args:
        data_format: accepted; data are channel-first inside in any case.
        skip_background: leave channel 0 out of both parts.
        squared_pred: Dice: use squares of predictions and targets in the denominator.
        jaccard: Dice: take the intersection off the denominator.
        smooth: Dice: added to the denominator.
        top_smooth: Dice: added to the numerator.
        is_onehot_targets: the label has one channel per class.
        gamma: focal: exponent.
        alpha: focal: factor.
        focal_weight: factor of the focal loss.
        dice_weight: factor of the Dice loss.

    Raises:
        ClaraError: when gamma or a weight is negative, or both weights are 0.
    """

    fidelity = assumed(
        "arguments and weights are not documented: the sum of Focal and Dice with the arguments of both, each with the "
        "weight 1 (focal_weight, dice_weight)"
    )
    becomes = "clara_compat.engine.losses.weighted_sum.WeightedSumLoss of ClaraFocalLoss and ClaraDiceLoss"
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
        gamma: float = 2.0,
        alpha: float = 0.25,
        focal_weight: float = 1.0,
        dice_weight: float = 1.0,
    ) -> None:
        NativeLoss.__init__(self)
        check_weights(focal_weight=focal_weight, dice_weight=dice_weight)
        self.focal = Focal(data_format, skip_background, gamma, alpha, is_onehot_targets)
        self.dice = Dice(data_format, skip_background, squared_pred, jaccard, smooth, top_smooth, is_onehot_targets)
        self.weights = [focal_weight, dice_weight]

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the loss.

        Raises:
            ClaraError: the model's outputs do not suit it.
        """
        return Entry(
            "clara_compat.engine.losses.weighted_sum.WeightedSumLoss",
            losses=[self.focal.bundle_entry(context), self.dice.bundle_entry(context)],
            weights=self.weights,
        )
