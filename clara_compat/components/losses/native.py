"""What every built-in loss has in common."""

from __future__ import annotations

from typing import Any

from clara_compat.common.build_ctx import BuildContext
from clara_compat.components.component import Component
from clara_compat.components.entry import BundleContext
from clara_compat.components.losses.loss import Loss

__all__ = ["NativeLoss"]


class NativeLoss(Component, Loss):
    """A built-in loss: runs as a loss of torch, and answers ``get_loss`` for users who subclass it."""

    def get_loss(self, predictions: Any, targets: Any, build_ctx: BuildContext | None = None) -> Any:
        """Return the loss, a scalar, as a user's subclass calling ``super().get_loss`` expects.

        Args:
            predictions: network output, (N, C, spatial...) or (N, C), in the layout of the pipeline.
            targets: labels, in the same layout.
            build_ctx: the objects of the step; without it those of the step that is running.

        Raises:
            ClaraError: predictions or labels do not suit the loss.
        """
        from clara_compat.tensorflow.built_in import Surroundings, run_loss

        around = Surroundings.of(build_ctx)
        predictions, targets = around.channel_first(predictions), around.channel_first(targets)
        context = BundleContext(
            spatial_dims=max(2, predictions.ndim - 2),
            label_format=around.label_format,
            outputs=predictions.shape[1],
            final_activation=around.final_activation,
        )
        return run_loss(self.bundle_entry(context), predictions, targets)
