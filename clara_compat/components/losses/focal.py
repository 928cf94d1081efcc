"""Clara's ``Focal``."""

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

__all__ = ["Focal"]


class Focal(NativeLoss):
    """Focal loss on the network's probabilities.

    Only ``skip_background`` is known from a config (clara-3.1 engine facts, section 2.2).

    Args:
        data_format: accepted; data are channel-first inside in any case.
        skip_background: leave channel 0 out.
        gamma: exponent.
        alpha: factor.
        is_onehot_targets: the label has one channel per class.

    Raises:
        ClaraError: gamma is negative, or gamma or alpha not finite.
    """

    fidelity = assumed(
        "formula, argument names and defaults are not documented: the mean over voxels of "
        "-alpha (1 - p)^gamma log(p) of the voxel's class, gamma 2 and alpha 0.25 as in the paper; a "
        "single prediction channel is compared with the label as a foreground mask; each of several sigmoid channels "
        "adds a binary focal loss, the mean over the channels"
    )
    becomes = "clara_compat.engine.losses.focal.ClaraFocalLoss"
    undocumented = True

    def __init__(
        self,
        data_format: str = "channels_first",
        skip_background: bool = False,
        gamma: float = 2.0,
        alpha: float = 0.25,
        is_onehot_targets: bool = False,
    ) -> None:
        NativeLoss.__init__(self)
        require_finite(gamma=gamma, alpha=alpha)
        if gamma < 0:
            raise ClaraError(f"gamma is {gamma} but must not be negative")
        self.data_format = data_format
        self.skip_background = skip_background
        self.gamma = gamma
        self.alpha = alpha
        self.is_onehot_targets = is_onehot_targets

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the loss.

        Raises:
            ClaraError: the model's outputs do not suit it.
        """
        check_background(context, self.skip_background)
        check_probabilities(context, "Focal")
        check_labels(context, "Focal", self.is_onehot_targets)
        return Entry(
            "clara_compat.engine.losses.focal.ClaraFocalLoss",
            skip_background=self.skip_background,
            gamma=self.gamma,
            alpha=self.alpha,
            is_onehot_targets=self.is_onehot_targets,
            **independent_channels(context),
        )
