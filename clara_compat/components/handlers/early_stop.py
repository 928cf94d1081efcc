"""Clara's ``EarlyStop``."""

from __future__ import annotations

from typing import ClassVar

from clara_compat.common.train_ctx import TrainContext
from clara_compat.common.train_handler import TrainHandler
from clara_compat.components.component import Component, assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.errors import ClaraError

__all__ = ["EarlyStop"]


class EarlyStop(Component, TrainHandler):
    """Ends the training when the key metric no longer improves (clara-3.1 engine facts, section 2.8).

    Args:
        val_times_threshold: validations in a row without a better key metric.

    Raises:
        ClaraError: a threshold below 1.
    """

    fidelity = assumed(
        "ends the training after the epoch whose validation is the last of val_times_threshold in a row without a "
        "better key metric; that only those in a row count is not documented"
    )
    becomes = "clara_compat.engine.handlers.early_stop.EarlyStop"
    follows_key_metric: ClassVar[bool] = True
    """It does nothing in a run without a key metric."""

    def __init__(self, val_times_threshold: int) -> None:
        TrainHandler.__init__(self)
        if val_times_threshold < 1:
            raise ClaraError(f"val_times_threshold is {val_times_threshold} but must be at least 1 validation")
        self.val_times_threshold = val_times_threshold

    def key_metric_computed(self, ctx: TrainContext) -> None:
        """End the training after this epoch when it is time, as a user's subclass calling it expects."""
        Entry(self.becomes).imported()(self.val_times_threshold).key_metric_computed(ctx)

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the handler, for :class:`~clara_compat.engine.handlers.train_events.TrainEvents`."""
        return Entry(self.becomes, patience=self.val_times_threshold)
